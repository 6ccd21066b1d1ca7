"""Who may call the service, from where, and how often.

A token is a secret of its person and is never stored: only its SHA-256 is. Roles:

    viewer     reads
    operator   reads, proposes (rebalance), lowers the switch, asks to raise it
    approver   reads, signs, lowers the switch, asks to raise it
    admin      all of these; four eyes still hold, since they compare names, not roles
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person may do (SE-10)."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who proved who they are."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Credential:
    """A person and the SHA-256, in hex, of their token."""

    person: Person
    token_sha256: str

    @staticmethod
    def of(name: str, role: Role, token: str) -> "Credential":
        """Make a credential from a token, which is forgotten."""
        return Credential(Person(name, role), hashlib.sha256(token.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the border. `page_requests_per_minute` counts dashboard pages and their polls."""

    host: str = "127.0.0.1"
    port: int = 8600
    requests_per_minute: int = 60
    page_requests_per_minute: int = 600
    sign_ins_per_minute: int = 10
    body_bytes_max: int = 65_536
    session_s: int = 43_200
    live_poll_s: float = 2.0
    credentials: tuple[Credential, ...] = ()
    allowed_hosts: frozenset[str] = field(
        default_factory=lambda: frozenset({"127.0.0.1", "localhost", "::1"})
    )

    @property
    def reads_are_open(self) -> bool:
        """True where only this machine can reach us (C-98); commands need a person everywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def identify(self, token: str) -> Person | None:
        """Return whose token this is; compares with every credential, in constant time."""
        offered = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found: Person | None = None
        for credential in self.credentials:
            if hmac.compare_digest(offered, credential.token_sha256):
                found = credential.person
        return found
