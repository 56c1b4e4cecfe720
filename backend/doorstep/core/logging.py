"""Logs: one JSON object per line, every line with its request id, never with a secret (IA9)."""

from __future__ import annotations

import logging
import re
import sys
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request or job that this task works on; set by the HTTP edge and the worker."""

HIDDEN = "[hidden]"

SECRET_KEYS = re.compile(
    r"(?i)(^|_)(token|password|pin|otp|secret|authorization|cookie|signature|strokes|phone|pan"
    r"|card|iban|email)s?(_hash)?$|^(\w+_key|code|(enrolment|handover)_code)$"
)
"""Names whose values are hidden whatever they are; `operation`, `request_id`, `kind` are not."""

_SECRETS = re.compile(
    r"dst_[A-Za-z0-9_-]{8,}"
    r"|(?i:(?<=bearer )[^\s\"']+)"
    r"|(?<![\w.-])\+\d(?:[ -]?\d){7,14}(?!\w)"
    r"|(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"
    r"|\b[0-9A-HJKMNP-TV-Z]{26}\b"
)
"""Our tokens, bearer tokens, phone numbers with +, card numbers, enrolment codes."""


SHORTEST = 8
"""No secret is shorter: a digit more than the shortest number with a `+`, or a bearer with one letter."""


@lru_cache(maxsize=2048)
def _names_secret(key: str) -> bool:
    # Every line has the same few names.
    return SECRET_KEYS.search(key) is not None


def redact(content: Any) -> Any:
    """Return the content without what must not be written down, however deep it lies."""
    if isinstance(content, str):
        return _SECRETS.sub(HIDDEN, content) if len(content) >= SHORTEST else content
    if isinstance(content, dict):
        return {
            key: HIDDEN if isinstance(key, str) and _names_secret(key) else redact(inner)
            for key, inner in content.items()
        }
    if isinstance(content, (list, tuple)):
        return [redact(inner) for inner in content]
    return content


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    hidden: EventDict = redact(event)
    return hidden


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if request_id := REQUEST_ID.get():
        event.setdefault("request_id", request_id)
    return event


def _to_json(event: EventDict, **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


_FIRST: list[Processor] = [_add_request_id, structlog.stdlib.add_log_level]


def processors(as_json: bool) -> list[Processor]:
    """What an event of ours goes through, in order; the last makes it the line that is written."""
    return [*_FIRST, *_last(as_json)]


def _last(as_json: bool) -> list[Processor]:
    # Redaction comes after the traceback has become text; what it need not read comes after it.
    rendering: Processor = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if as_json
        else structlog.dev.ConsoleRenderer()
    )
    return [
        structlog.processors.format_exc_info,
        _redact_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        rendering,
    ]


_IN_USE: list[Any] = []


def configure(*, as_json: bool = True, level: str = "INFO") -> None:
    """Send every log of this process, ours and the libraries', redacted to stderr."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    # One list for ever: loggers keep the one they saw first, so a new one would not reach them.
    _IN_USE[:] = processors(as_json)
    structlog.configure(
        processors=_IN_USE,
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        formatter(
            foreign_pre_chain=_FIRST,
            processors=[formatter.remove_processors_meta, *_last(as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(numeric, logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # Its lines hold whole paths, and paths can hold tokens; the edge writes a line of its own.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
