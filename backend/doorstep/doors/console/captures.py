"""Desks: what a phone has handed in as it was kept, what became of it, and what waits for them by it.

Nothing that a phone has sent is out of sight here: also what could not be read (IC1, IC5, IC7).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import structlog
from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.console import captures_sql as sql
from doorstep.doors.console.capture_pictures import CapturePicture, pictures_of
from doorstep.doors.console.field_words import FieldWord, told
from doorstep.modules.helpdesk import service as helpdesk

log = structlog.get_logger(__name__)

TAGS = ["sync"]
READING = needs("core:capture:read")
ABOUT_ONE = ["capture_refused", "capture_surrendered", "capture_unproven", "capture_stuck"]

Verdict = Literal["open", "applied", "duplicate", "held", "review", "rejected"]
LISTED_WHOLE = ("open", "held", "review", "rejected")

WORDS = {
    "open": "It is kept, and still to be carried out.",
    "applied": "It counts.",
    "duplicate": "It had happened before: it is kept as further evidence.",
    "held": "It came too early: it is carried out once what it waits for is done.",
    "review": "It moved nothing: a person looks at it and does by hand what of it should count.",
    "rejected": "It cannot be carried out as it is.",
}


class CaptureMissing(NotFound):
    """No capture has this id, or none of a person in sight."""

    title = "There is no such capture."


class CapturesNotNarrowed(Invalid):
    """All that ever counted is no list: it is asked for by person."""

    title = "Say whose captures, or which of those that are open, held, in review or rejected."


class KeptCapture(Struct, kw_only=True):
    """A capture in short. What stands in its envelope is null for one that could not be read.

    `captured_at` is by the phone's clock; by all that the server knows of time it was captured between
    `earliest_at` and `latest_at`. `verdict` is `open` while it has none.
    """

    event_id: UUID
    person_id: UUID
    name: str
    role: str
    device_id: UUID
    device_label: str
    app_version: str
    type: str | None
    lane: str | None
    device_seq: int | None
    captured_at: datetime | None
    earliest_at: datetime | None
    latest_at: datetime | None
    time_flag: str | None
    received_at: datetime
    recorded_at: datetime | None
    verdict: Verdict
    reason: str
    signature: str | None
    surrendered: bool


class Body(Struct, kw_only=True):
    """Bytes as they were kept: as text, and in base64 where they are no UTF-8."""

    sha256: str
    text: str
    base64: str | None


class StrayCapture(Struct, kw_only=True):
    """What has no place among the captures: `why` is unreadable, foreign or differs."""

    id: UUID
    event_id: UUID | None
    why: str
    person_id: UUID
    name: str
    device_id: UUID
    device_label: str
    app_version: str
    received_at: datetime
    body: Body


class ProblemOfCapture(Struct, kw_only=True):
    """A problem that it opened; in the queue of `owner_role` until it is closed."""

    id: UUID
    kind: str
    title: str
    owner_role: str
    opened_at: datetime
    closed_at: datetime | None
    closing_words: str


class KeptCaptureWhole(KeptCapture, kw_only=True):
    """A capture with all there is to it. `words` says its verdict, `reason` why.

    `failure` is what went wrong with the last of its `attempts`, while it is open. `amendments` are
    what its person has said since; the capture stays as it is.
    """

    device_state: str
    schema_version: int | None
    server_at: datetime | None
    words: str
    attempts: int
    next_at: datetime | None
    failure: str | None
    body: Body
    pictures: list[CapturePicture]
    copies: list[StrayCapture]
    amendments: list[FieldWord]
    problems: list[ProblemOfCapture]


class KeptCaptures(Struct, kw_only=True):
    """A page, the newest first; `next` is the `before` of the page after it, null on the last one."""

    items: list[KeptCapture]
    next: UUID | None


class StrayCaptures(Struct, kw_only=True):
    """A page of what has no place among the captures, the newest first."""

    items: list[StrayCapture]
    next: UUID | None


Before = Annotated[UUID | None, QueryParameter(description="The last id already seen.")]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get(
    "/console/captures",
    operation_id="readKeptCaptures",
    opt=READING,
    responses=problems(CapturesNotNarrowed),
    tags=TAGS,
)
async def read_captures(
    actor: Actor,
    person_id: UUID | None = None,
    verdict: Verdict | None = None,
    before: Before = None,
    limit: Limit = 50,
) -> KeptCaptures:
    """List captures of people in sight: of a person, with a verdict, or both."""
    if person_id is None and verdict not in LISTED_WHOLE:
        raise CapturesNotNarrowed
    condition, arguments = scope(actor).people("p", first=4)
    query = sql.LIST.format(scope=condition, verdict=sql.VERDICT[verdict])
    rows = await db.rows(query, person_id, before, limit, *arguments)
    items = msgspec.convert(rows, list[KeptCapture])
    return KeptCaptures(items=items, next=items[-1].event_id if len(items) == limit else None)


@get(
    "/console/captures/{event_id:uuid}",
    operation_id="readKeptCapture",
    opt=READING,
    responses=problems(CaptureMissing),
    tags=TAGS,
)
async def read_capture(event_id: UUID, actor: Actor) -> KeptCaptureWhole:
    """Show a capture as it was kept, and what became of it.

    Copies are what came under its id with another content, or from another phone in sight. The links
    of pictures end after five minutes and are this person's own.
    """
    people, arguments = scope(actor).people("p", first=2)
    row = await db.row(sql.ONE.format(scope=people), event_id, *arguments)
    if row is None:
        raise CaptureMissing
    copies = await db.rows(sql.COPIES.format(scope=people), event_id, *arguments)
    log.info("captures.looked_at", event_id=str(event_id), by=str(actor.person_id))
    raw: bytes = row.pop("body")
    next_at = row.pop("next_at")
    return KeptCaptureWhole(
        **row,
        words=WORDS[row["verdict"]],
        next_at=next_at if row["verdict"] == "open" else None,
        body=_body(raw),
        pictures=await pictures_of(raw, row["person_id"], viewer=str(actor.person_id)),
        copies=[_stray(one) for one in copies],
        amendments=await told(await helpdesk.words_of(amends=event_id), actor),
        problems=await _problems(row, actor),
    )


@get(
    "/console/stray-captures",
    operation_id="readStrayCaptures",
    opt=READING,
    tags=TAGS,
)
async def read_strays(
    actor: Actor,
    person_id: UUID | None = None,
    before: Before = None,
    limit: Annotated[int, QueryParameter(ge=1, le=20)] = 20,
) -> StrayCaptures:
    """List what phones handed in without an id that can be read, or under one that stood for another."""
    condition, arguments = scope(actor).people("p", first=4)
    query = sql.STRAYS.format(scope=condition)
    rows = await db.rows(query, person_id, before, limit, *arguments)
    items = [_stray(row) for row in rows]
    return StrayCaptures(items=items, next=items[-1].id if len(items) == limit else None)


async def _problems(row: dict[str, Any], actor: Actor) -> list[ProblemOfCapture]:
    condition, arguments = scope(actor).channels("p.channel_id", first=6)
    found = await db.rows(
        sql.PROBLEMS.format(scope=condition),
        ABOUT_ONE,
        str(row["event_id"]),
        row["verdict"] == "rejected",
        str(row["device_id"]),
        row["received_at"],
        *arguments,
    )
    return msgspec.convert(found, list[ProblemOfCapture])


def _stray(row: dict[str, Any]) -> StrayCapture:
    return StrayCapture(**row | {"body": _body(row["body"])})


def _body(raw: bytes) -> Body:
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        return Body(sha256=sha256, text=raw.decode(), base64=None)
    except UnicodeDecodeError:
        text = raw.decode(errors="backslashreplace")
        return Body(sha256=sha256, text=text, base64=b64encode(raw).decode())


handlers = [read_captures, read_capture, read_strays]
"""The routes of this door."""
