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
_SECRET_NAME: Final = re.compile(
    r"pass(word|phrase)|secret|token|api_?key|private_?key|mnemonic|seed_phrase|authorization|cookie",
    re.IGNORECASE,
)
_SECRET_SHAPES: Final = (
    re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])"),  # a private key's shape
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user:password in a URL
)
# Digests have a key's shape; under these names they are published on purpose.
_PUBLIC_NAMES: Final = frozenset(
    {"digest", "hash", "head", "mandate_digest", "state_hash", "snapshot_id", "prev_hash"}
)


def redact(value: object, name: str = "") -> object:
    """Return the value with every secret replaced, whatever it is nested in."""
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    if isinstance(value, str) and name not in _PUBLIC_NAMES:
        for shape in _SECRET_SHAPES:
            value = shape.sub(REDACTED, value)
    return value


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: redact(item, key) for key, item in event.items()}


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
