"""Every way Dynamic says no.

    DynamicError                 code, message; one clear line for a person
    ├── Refused                  input we will not interpret (file, config, API, CLI)
    │   ├── ConfigRefused        a mandate or setting that is unknown, missing or out of range
    │   └── NotMatured           a principal token asked for its par before its day
    ├── DataUnfit                a value is missing, stale or of a kind this gate does not accept
    │   └── SourceUnavailable    a source did not answer, or answered nonsense
    ├── Unresolved               an outcome is not yet known: a state, never a failure
    ├── Conflict                 somebody else is already doing it, or it is already decided
    ├── NotFound                 no such decision, plan or account
    └── StoreUnavailable         the database cannot be read or written
    InvariantBroken              a bug or a lie; no broad handler may swallow it, the switch halts

Normal business is not an exception: a guardrail's no is the value `policy.guardrails.Denial`.
A message says what was expected, what was found, in which unit, and what happens now.
"""


class DynamicError(Exception):
    """An expected failure, with a stable code."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(DynamicError):
    """Input we will not interpret."""

    code = "refused"


class ConfigRefused(Refused):
    """A mandate or setting that is unknown, missing or out of range."""

    code = "config-refused"


class NotMatured(Refused):
    """A principal token was asked for its par before its day; it can only be sold."""

    code = "not-matured"


class DataUnfit(DynamicError):
    """A value is missing, too old, or of a provenance this gate does not accept."""

    code = "data-unfit"


class SourceUnavailable(DataUnfit):
    """A source did not answer in time, or its answer failed validation."""

    code = "source-unavailable"


class Unresolved(DynamicError):
    """The outcome of something sent is not known yet; only evidence may end this state."""

    code = "unresolved"


class Conflict(DynamicError):
    """Already running, already decided, or changed underneath."""

    code = "conflict"


class NotFound(DynamicError):
    """No such thing under this name."""

    code = "not-found"


class StoreUnavailable(DynamicError):
    """The database cannot be read or written; nothing was sent."""

    code = "store-unavailable"


class InvariantBroken(BaseException):
    """A bug or a lie. Not an `Exception`, so that no broad handler swallows it by accident.

    The process that sees one sets the switch to HALTED and stops.
    """

    code = "invariant-broken"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
