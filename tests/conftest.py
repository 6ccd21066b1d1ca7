"""What every test stands on: no network, and real parts where a part matters.

    pg_database_url   an empty database on a private PostgreSQL server, dropped afterwards
    postgres_url      that server's maintenance database
    chromium_path     the browser the dashboard is tested in
    history_dir       recorded market history beside the checkout; without it the test is skipped

A missing server or browser fails the test: a suite that skips them proves nothing about them.
The history may not be redistributed, so a clone without it runs everything else.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "commit",
    max_examples=80,
    deadline=None,  # two busy cores say nothing about the code
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("commit"), max_examples=3_000)
settings.load_profile(os.environ.get("DYNAMIC_TEST_PROFILE", "commit"))


# --- no network ---------------------------------------------------------------------------------


class NetworkBlocked(RuntimeError):
    """A test reached for the network. Not an OSError: no handler may take it for an outage."""


def _is_local(host: object) -> bool:
    """Whether a host is this machine, told without asking a resolver."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("ascii", "replace")
    if host is None or host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Refuse every connection but loopback and Unix sockets, and every look-up of a name."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def refuse_remote(sock: socket.socket, address: Any) -> None:
        if sock.family != socket.AF_UNIX and not _is_local(address[0]):
            sock.close()  # callers close on OSError only
            raise NetworkBlocked(f"tests reach loopback only, tried {address!r}")

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        refuse_remote(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        refuse_remote(sock, address)
        return connect_ex(sock, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host) and not _is_address(host):
            raise NetworkBlocked(f"tests look up no names, tried {host!r}")
        return getaddrinfo(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    patch.undo()


def _is_address(host: object) -> bool:
    """Whether a host is numeric, so that resolving it asks nobody (a listener's 0.0.0.0)."""
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


# --- PostgreSQL ---------------------------------------------------------------------------------


def _postgres_programs() -> Path:
    """The directory with initdb and postgres, newest version first."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found.sort(key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for directory in found:
        if (directory / "postgres").exists():
            return directory
    return pytest.fail(
        "expected PostgreSQL's initdb and postgres, found neither: install postgresql"
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _server_account() -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses root, so root lends it another account."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return pytest.fail("running as root, and there is no account postgres or nobody to lend")


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    give_up_at = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > give_up_at:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL server, one for each test process, gone afterwards.

    Durability is off: what these tests kill is our process, never the server.
    """
    programs, account = _postgres_programs(), _server_account()
    # Not under pytest's own directory: the lent account may not enter it.
    home = Path(tempfile.mkdtemp(prefix="dynamic-pg-"))
    if account:
        os.chown(home, account["user"], account["group"])
    data, log, port = home / "data", home / "log", _free_port()
    server: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, **account,
        )  # fmt: skip
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": home,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "max_connections": 60,
        }
        with log.open("wb") as out:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *(f"--{k}={v}" for k, v in options.items())],
                cwd=home, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, **account,
            )  # fmt: skip
        address = f"postgres@127.0.0.1:{port}/postgres"
        _wait_until_ready(f"postgresql://{address}", server, log)
        yield f"postgresql+psycopg://{address}"
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(2)  # fast shutdown
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def pg_database_url(postgres_url: str) -> Iterator[str]:
    """A fresh, empty database on the private server."""
    import psycopg

    name = f"t_{uuid.uuid4().hex}"
    server = postgres_url.replace("+psycopg", "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{postgres_url.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# --- browser and history ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Debian's Chromium, or the one named by DYNAMIC_TEST_CHROMIUM."""
    path = Path(os.environ.get("DYNAMIC_TEST_CHROMIUM", "/usr/bin/chromium"))
    if not path.exists():
        pytest.fail(f"expected Chromium at {path}: install chromium or set DYNAMIC_TEST_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def history_dir() -> Path:
    """Recorded market history; skips, saying so, where a clone has none beside it."""
    path = Path(os.environ.get("DYNAMIC_TEST_HISTORY", ROOT.parent / "shared" / "data"))
    if not (path / "btc_onchain_daily.csv.gz").exists():
        pytest.skip("no recorded history here: set DYNAMIC_TEST_HISTORY to its directory")
    return path
