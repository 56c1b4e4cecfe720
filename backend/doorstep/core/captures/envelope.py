"""The wire of the sync: a batch, and each event of it, which is read by itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from doorstep.core.auth.device_keys import Verifier
from doorstep.core.captures.canonical import NotCanonical, signed_bytes
from doorstep.core.captures.moments import Moment, refuse_edge
from doorstep.core.http.problems import MalformedRequest
from doorstep.core.http.request import refuse_nul

MAX_EVENTS = 100
MAX_BYTES = 200 * 1024

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A number that a browser counts with."""

Signature = Literal["valid", "missing", "wrong"]

Word = Annotated[str, Meta(min_length=1, max_length=100)]


class Event(Struct, kw_only=True):
    """One capture. A newer phone may say more than is read here: all of it is kept.

    `payload` is the body of the operation that `type` names, with the ids of its path.
    """

    event_id: UUID
    type: Annotated[str, Meta(min_length=1, max_length=40)]
    schema: Annotated[int, Meta(ge=0, le=10_000)]
    lane: Word
    device_seq: Count
    captured_at: Moment
    mono_ms: Count
    boot: UUID
    server_at: Moment | None = None
    server_mono_ms: Count | None = None
    payload: Raw
    sig: Annotated[str, Meta(max_length=200)] | None = None

    def __post_init__(self) -> None:
        refuse_edge("captured_at", self.captured_at)
        if self.server_at is not None:
            refuse_edge("server_at", self.server_at)


def _nothing() -> Raw:
    return Raw(b"null")


class Batch(Struct, kw_only=True):
    """What a phone sends at once; `sent_at` is its wall clock then.

    `device_state` is what it was told of itself last: so the office sees that it has heard.
    `health` (core/captures/health.py) is read apart: what a phone says of itself costs no capture.
    """

    app_version: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00]*$")]
    sent_at: Annotated[str, Meta(max_length=40)]
    device_state: Annotated[str, Meta(max_length=20)] | None = None
    health: Raw = msgspec.field(default_factory=_nothing)
    events: list[Raw]


# Each escape is taken whole, so that a backslash never counts for two.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def open_batch(body: bytes) -> Batch:
    """Open a batch; its events stay as they came.

    Half a character (a text that was cut within an emoji) becomes the sign for an unknown one:
    no reader of JSON here takes it, and it would keep back the whole batch.

    Raises: msgspec.MsgspecError, RecursionError.
    """
    return msgspec.json.decode(_mended(body), type=Batch)


def as_sent(body: bytes, events: Sequence[bytes]) -> list[bytes]:
    """Find the events of an opened batch in its body, as their phone wrote and signed them."""
    mended, place, found = _mended(body), 0, []
    if mended is body:
        return list(events)
    for event in events:
        # What was mended is as long as before, so an event lies where it lay.
        start = mended.index(event, place)
        place = start + len(event)
        found.append(body[start:place])
    return found


def _mended(body: bytes) -> bytes:
    if b"\\ud" in body or b"\\uD" in body:
        return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
    return body


class _Named(Struct):
    event_id: UUID


@dataclass(frozen=True)
class Read:
    """An event as it came: `event` where it could be read, else the reason in words.

    `signature` says whether its device has signed it; of what cannot be read nobody knows.
    """

    raw: bytes
    event_id: UUID | None
    event: Event | None
    reason: str = ""
    signature: Signature | None = None

    @property
    def digest(self) -> bytes:
        """Tell one content from another, whatever signature or clock stands around it."""
        if self.event is None:
            return hashlib.sha256(self.raw).digest()
        return hashlib.sha256(self.event.type.encode() + b"\0" + bytes(self.event.payload)).digest()


def read(raw: bytes, sent: bytes, key: Verifier) -> Read:
    """Read one event and look at its signature, which covers it as it was sent.

    Never raises, since what a phone has captured is kept. About 0.1 ms, so it is done before any
    transaction begins.
    """
    try:
        refuse_nul(raw)
        event = msgspec.json.decode(raw, type=Event)
        raw.decode()
    except (msgspec.MsgspecError, MalformedRequest, UnicodeError, RecursionError) as wrong:
        return Read(raw, _id_of(raw), None, _words(wrong))
    return Read(raw, event.event_id, event, signature=_judge(event.sig, sent, key))


def _judge(sig: str | None, sent: bytes, key: Verifier) -> Signature:
    if sig is None:
        return "missing"
    try:
        return "valid" if key.has_signed(signed_bytes(sent), sig) else "wrong"
    except NotCanonical:
        return "wrong"


def _id_of(raw: bytes) -> UUID | None:
    try:
        return msgspec.json.decode(raw, type=_Named).event_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _words(wrong: Exception) -> str:
    if isinstance(wrong, RecursionError):
        return "The event is nested too deeply."
    return f"The event cannot be read: {wrong}"[:1000].replace("\0", "")


def payload_of(raw: bytes) -> dict[str, Any]:
    """Read the payload of a stored event.

    Raises: msgspec.MsgspecError, RecursionError when it is no object or cannot be read.
    """
    payload: dict[str, Any] = msgspec.json.decode(
        msgspec.json.decode(raw, type=Event).payload, type=dict[str, Any]
    )
    return payload
