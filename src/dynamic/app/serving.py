"""Serving: the API and dashboard in the main thread, the treasury's own loop in a worker.

    bind(host, port)            before anything is opened: a port in use starts nothing
    serve(app, listener, work)  until SIGTERM, SIGINT, or the worker breaks

A signal stops taking requests, lets the worker finish the step in hand, and returns within
ten seconds; what was journaled goes on at the next start. A broken invariant in the worker has
lowered the switch already; the process then ends, with exit code 1.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Protocol

import structlog
import uvicorn
from fastapi import FastAPI

from dynamic.app.api.settings import ApiSettings, Credential, Person, Role
from dynamic.app.settings import Settings
from dynamic.errors import ConfigRefused, Conflict, InvariantBroken, Refused

DRAIN_S: Final = 1  # for requests in flight
FINISH_S: Final = 7.0  # for the cycle in hand; with the drain below ten seconds (OP-12)
BACKLOG: Final = 128
_DIGEST_LENGTH: Final = 64

log = structlog.get_logger("dynamic.service")


def border(settings: Settings, port: int) -> ApiSettings:
    """Return who may call the service, from the settings' `name -> role:sha256-of-token`."""
    credentials = []
    for name, text in settings.api.tokens.items():
        role, _, digest = text.partition(":")
        is_digest = len(digest) == _DIGEST_LENGTH and not set(digest) - set("0123456789abcdef")
        if role not in set(Role) or not is_digest:
            raise ConfigRefused(
                f"api.tokens.{name}: expected role:sha256-of-token with a role of "
                f"{', '.join(Role)}, found something else; nothing was started"
            )
        credentials.append(Credential(Person(name, Role(role)), digest))
    host = settings.api.host
    return ApiSettings(
        host=host,
        port=port,
        requests_per_minute=settings.api.requests_per_minute,
        credentials=tuple(credentials),
        allowed_hosts=frozenset({"127.0.0.1", "localhost", "::1", host.lower()}),
    )


class Work(Protocol):
    """What runs beside the server."""

    def run(self) -> None:
        """Work until stopped."""
        ...

    def stop(self) -> None:
        """Ask it to end between two steps."""
        ...


class _Server(uvicorn.Server):
    """A server whose signals are ours: uvicorn would raise them again after shutting down."""

    def __init__(self, config: uvicorn.Config, work: Work) -> None:
        super().__init__(config)
        self._work = work

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the worker go first: it finishes its step while requests are drained."""
        self._work.stop()
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """Take the port; Conflict where somebody has it, Refused where the host is not ours."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise Refused(
            f"expected an address of this machine, found {host!r}: {problem.strerror}; "
            "nothing was started"
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        raise Conflict(
            f"expected port {port} of {host} to be free, found: {problem.strerror}; "
            "nothing was started (choose another with --port)"
        ) from None
    return listener


def serve(
    app: FastAPI,
    listener: socket.socket,
    work: Work,
    *,
    started: Callable[[], None] | None = None,
    finish_s: float = FINISH_S,
) -> int:
    """Serve until told to stop; return the exit code. `started` is called once we listen."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = _Server(config, work)
    broken: list[BaseException] = []

    def labour() -> None:
        try:
            work.run()
        except InvariantBroken as found:
            log.critical("an invariant is broken; the switch is halted", reason=found.message)
            broken.append(found)
        except Exception as found:  # the last line of the thread: nothing is hidden
            log.error("the loop ended by a bug", exc_info=found)
            broken.append(found)
        finally:
            server.should_exit = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Nothing that takes a lock: a second signal interrupts the handler of the first, and
        # `uv run` passes on a Ctrl-C that the terminal has already given to both.
        server.should_exit = True

    worker = threading.Thread(target=labour, name="treasury", daemon=True)
    with _handling(stop):
        worker.start()
        if started is not None:
            started()
        server.run(sockets=[listener])
        work.stop()
        worker.join(finish_s)
    if worker.is_alive():
        log.warning("a cycle was cut off; the next start continues from its journal")
    return 1 if broken else 0


@contextmanager
def _handling(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let our handler have SIGTERM and SIGINT, where signals reach this thread at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
