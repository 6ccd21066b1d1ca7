"""Logs: one JSON object a line on stderr, with a correlation id and without secrets.

Redaction is by name and by shape: any field whose name speaks of a secret, and any text that
looks like a private key, a bearer token or a password in a URL, is replaced before it is
written. It runs last, so nothing that a library adds slips past it.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

REDACTED: Final = "[redacted]"
_NAMES: Final = (
    r"pass(?:word|wd|phrase)|secret|token|api[_-]?key|private[_-]?key|mnemonic|seed[_-]?phrase"
    r"|authorization|cookie|credential"
)
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_KEY_SHAPE: Final = re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64,}")  # a private key's
_SECRET_SHAPES: Final = (
    # `password=...`, `"token": "..."`, `Authorization: Basic ...`: a name and what it is given
    re.compile(
        rf"""(?ix) (?P<kept> [\w-]{{0,40}} (?:{_NAMES}) [\w-]{{0,40}} ["']? \s* [=:] \s*
        (?:(?:bearer|basic) \s+)? ) (?: (?P<quote> ["'] ) [^"']* | [^\s"'&,;}})>]+ )"""
    ),
    re.compile(r"(?i)(?P<kept>\b(?:bearer|basic) )(?P<quote>)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?P<kept>://)(?P<quote>)[^/?#\s]+(?=@)"),  # user:password in a URL
    re.compile(r"(?P<kept>\b)(?P<quote>)(?:[a-z]{3,8} ){11,}[a-z]{3,8}\b"),  # a seed phrase's
)
# Digests have a key's shape; under these names they are published on purpose.
_PUBLIC_NAMES: Final = frozenset(
    {"digest", "hash", "head", "mandate_digest", "state_hash", "snapshot_id", "prev_hash"}
)


def redact(value: object, name: str = "") -> object:
    """Return the value with every secret replaced, whatever it is nested in.

    What is neither a number nor a container is looked at as the text it would be written as.
    """
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {_clean(str(key)): redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, name) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value)
    return _clean(text, is_public=name in _PUBLIC_NAMES)


def _clean(text: str, *, is_public: bool = False) -> str:
    if not is_public:
        text = _KEY_SHAPE.sub(REDACTED, text)
    for shape in _SECRET_SHAPES:
        text = shape.sub(rf"\g<kept>\g<quote>{REDACTED}", text)
    return text


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {_clean(key): redact(item, key) for key, item in event.items()}


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log, ours and the libraries', through the redaction, as JSON on stderr.

    With a `stream` they go there instead, as a demo's do into its file.
    """
    chain: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*chain, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redact_event,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
