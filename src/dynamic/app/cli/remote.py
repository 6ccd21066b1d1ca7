"""Asking a running service: one call to its API, with the person's own token.

    Remote(settings, token_file).post(path, body)  ->  JSON, or the error the service named

The token comes from a file or the environment, never from the command line, where every
process of the machine could read it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dynamic.errors import Conflict, DataUnfit, DynamicError, NotFound, Refused

if TYPE_CHECKING:
    from dynamic.app.settings import Settings

TIMEOUT_S: Final = 30.0
PROBE_S: Final = 1.0


class Denied(DynamicError):
    """The service refused by policy."""

    code = "denied"


class ApprovalNeeded(DynamicError):
    """The service waits for people."""

    code = "approval-required"


class Remote:
    """The service that the settings name."""

    def __init__(self, settings: "Settings", token_file: Path | None = None) -> None:
        host = settings.api.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - listening everywhere is asked at loopback
            host = "127.0.0.1"
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{settings.api.port}"
        self._token_file = token_file

    def health(self) -> dict[str, Any] | None:
        """Return the service's health; None where none answers."""
        import httpx2

        try:
            found = httpx2.get(f"{self.url}/health", timeout=PROBE_S).json()
        except (httpx2.HTTPError, ValueError):
            return None
        return found if isinstance(found, dict) and "mandate_digest" in found else None

    def post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        """Send a command as the person whose token this is."""
        import httpx2

        headers = {"Authorization": f"Bearer {self._token()}"}
        try:
            reply = httpx2.post(f"{self.url}{path}", json=body, headers=headers, timeout=TIMEOUT_S)
            found = reply.json()
        except (httpx2.HTTPError, ValueError) as problem:
            raise Conflict(
                "another process holds this treasury, and no service answers at "
                f"{self.url} ({type(problem).__name__}); it is not known whether it acted"
            ) from None
        if reply.status_code >= 400:
            raise _error(reply.status_code, found)
        assert isinstance(found, dict)
        return found

    def _token(self) -> str:
        from dynamic.app.settings import TOKEN_VARIABLE

        if self._token_file is not None:
            try:
                token = self._token_file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise Refused(
                    f"expected a token in {self._token_file}, found none that can be read; "
                    "nothing was done"
                ) from None
        else:
            token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token or not token.isascii() or any(c.isspace() for c in token):
            raise Refused(
                f"a service is running: expected your token in --token-file or {TOKEN_VARIABLE}, "
                "found none; nothing was done"
            )
        return token


def _error(status: int, found: object) -> DynamicError:
    """Turn a problem of the service into the error it stands for."""
    problem = found if isinstance(found, dict) else {}
    code, detail = str(problem.get("code", "")), str(problem.get("detail", f"status {status}"))
    if decision_id := problem.get("decision_id"):
        detail = f"{detail} (decision {decision_id})"
    if code == ApprovalNeeded.code:
        return ApprovalNeeded(detail)
    if status == 403:
        return Denied(detail)
    known: dict[int, type[DynamicError]] = {400: Refused, 401: Refused, 404: NotFound,
                                            409: Conflict, 422: Refused}  # fmt: skip
    if code in {"data-unfit", "source-unavailable"}:
        return DataUnfit(detail)
    return known.get(status, DynamicError)(detail)
