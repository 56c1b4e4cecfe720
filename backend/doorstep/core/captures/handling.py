"""Carries out what phones have handed in: one transaction per event, effect and receipt together.

The events of a device are carried out in their order (IC3), by one process at a time; an event that
fails holds its own lane back and no other. What a dead process has left, the job finishes.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from asyncpg.exceptions._base import DataError as ArgumentError

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import may
from doorstep.core.captures import sql
from doorstep.core.captures.envelope import payload_of
from doorstep.core.captures.registry import TYPES, Capture, NotValid, Outcome, Then
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Refusal
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import recurring
from doorstep.core.outbox.lease import backoff

log = structlog.get_logger(__name__)

PATIENCE = 15.0
"""Seconds that a request works on the events of its phone; the job does the rest."""

UNTOUCHED = timedelta(seconds=30)
"""How long an event lies before the job takes it for left over."""

ATTEMPTS = 6
"""Then a person has it; together with the waits between them, within ten minutes."""

GIVEN_UP = "The server could not carry this out. It is kept, and a person looks at it."

NOT_FOUND, CONFLICT, SERVER_ERROR = 404, 409, 500
STATE_HAS_MOVED_ON = (NOT_FOUND, CONFLICT)
"""What the phone captured was right when it did: a person decides whether it counts (IC7)."""


class Turn(Enum):
    """How a turn at a device's events went."""

    TAKEN = auto()
    BUSY = auto()
    NOTHING = auto()


@dataclass
class _Work:
    device_id: UUID
    event_id: UUID | None = None
    then: Then | None = None


async def drain(device_id: UUID, *, patience: float = PATIENCE) -> None:
    """Carry out every event of a device that is open and due.

    One that fails (a mistake of ours, a lost connection) stays open and is tried again later.

    Raises: DatabaseUnavailable when it is away for longer than a statement.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        turn = await _turn(_Work(device_id))
        if turn is Turn.NOTHING:
            return
        if turn is Turn.BUSY:
            # Waiting without a connection: fifty requests of one phone leave room for others.
            await asyncio.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - jitter


async def _turn(work: _Work) -> Turn:
    try:
        turn = await _take(work)
    except Exception as failure:
        if work.event_id is None:
            raise
        log.warning("captures.failed", event_id=work.event_id, exc_info=True)
        await _note_failure(work.device_id, work.event_id, failure)
        return Turn.TAKEN
    if work.then is not None:
        try:
            await work.then()
        except Exception:
            # The receipt stands; the job that was written with it does the rest.
            log.warning("captures.rest_left_to_job", event_id=work.event_id, exc_info=True)
    return turn


@db.transactional
async def _take(work: _Work) -> Turn:
    """Carry out the next event; its effect and its receipt are one fact."""
    work.event_id = work.then = None
    if not await db.value(sql.TRY_LOCK, work.device_id):
        return Turn.BUSY
    # A statement of its own: its snapshot is taken with the lock in hand.
    row = await db.row(sql.NEXT, work.device_id, now())
    if row is None:
        return Turn.NOTHING
    work.event_id = row["event_id"]
    outcome, refused = await _carried_out(row, work.device_id)
    if refused:
        await _ask_a_person(row, outcome, work.device_id)
    if outcome.verdict == "rejected":
        told = {"event_id": row["event_id"], "device_id": work.device_id}
        await outbox.add("flows.tell_capture_rejected", told)
    failpoint("captures.before_receipt")
    await db.execute(sql.RECORD, row["event_id"], outcome.verdict, outcome.reason[:1000], now())
    work.then = outcome.then
    return Turn.TAKEN


async def _carried_out(row: dict[str, Any], device_id: UUID) -> tuple[Outcome, bool]:
    """Do what the event says; tell what became of it, and whether it was refused as a whole."""
    async with db.unit_of_work() as uow:
        try:
            async with uow.savepoint():
                return await _apply(row, device_id), False
        except Refusal as refusal:
            if refusal.status >= SERVER_ERROR:
                raise
            kept = refusal.status in STATE_HAS_MOVED_ON
            return Outcome("review" if kept else "rejected", refusal.words), True
        except NotValid as wrong:
            return Outcome("rejected", str(wrong)), True
        except (ArgumentError, asyncpg.DataError, asyncpg.ProgramLimitExceededError, UnicodeError):
            return Outcome("rejected", "A value is too large, too long or not storable."), True
        except asyncpg.UniqueViolationError as clash:
            # As at the door of requests: ids that clients make have constraints of these names.
            if not str(clash.constraint_name).endswith(("event_unique", "event_id_unique")):
                raise
            return Outcome("review", EventIdReused.title), True


async def _apply(row: dict[str, Any], device_id: UUID) -> Outcome:
    known = TYPES.get(row["type"])
    if known is None:
        raise NotValid(f"There is no event of the type {row['type']}.")
    if not may(row["role"], known.permission):
        raise NotValid(f"A {row['role']} may not hand in {row['type']}.")
    try:
        payload = payload_of(row["body"])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
        raise NotValid(f"The payload cannot be read: {wrong}") from wrong
    capture = Capture(
        row["event_id"], row["type"], row["schema_version"], row["captured_at"], payload
    )
    return await known.carry_out(capture, _actor(row, device_id))


def _actor(row: dict[str, Any], device_id: UUID) -> Actor:
    return Actor(
        role=row["role"],
        source="phone",
        person_id=row["person_id"],
        name=row["name"],
        device_id=device_id,
        channel_ids=tuple(row["channel_ids"]),
        location_id=row["location_id"],
        vendor_id=row["vendor_id"],
        request_id=row["request_id"],
    )


async def _ask_a_person(row: dict[str, Any], outcome: Outcome, device_id: UUID) -> None:
    """Have a desk look at what moved nothing: each that may count, and each phone that errs."""
    about = {"detail": f"{outcome.reason} ({row['event_id']})", "channel_id": row["channel_id"]}
    if outcome.verdict == "review":
        await outbox.add(
            "helpdesk.open_problem",
            {
                "kind": "capture_refused",
                "title": f"{row['name']} captured {row['type']}, which could not count any more",
                "ref": f"capture:{row['event_id']}",
                **about,
            },
        )
        return
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "capture_rejected",
            "title": f"The phone of {row['name']} hands in what cannot be carried out",
            "ref": f"device:{device_id}",
            **about,
        },
    )


@db.transactional
async def _note_failure(device_id: UUID, event_id: UUID, failure: Exception) -> None:
    """Have the event tried again later; after `ATTEMPTS` a person has it, and its lane goes on."""
    await db.value(sql.LOCK, device_id)
    words = f"{type(failure).__name__}: {failure}"[:2000].replace("\0", "")
    row = await db.row(sql.FAILED, event_id, words)
    if row is None:
        return
    if row["attempts"] < ATTEMPTS:
        await db.execute(sql.WAIT, event_id, now() + backoff(row["attempts"]))
        return
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "capture_stuck",
            "title": f"What {row['name']} captured ({row['type']}) cannot be carried out",
            "detail": words,
            "ref": f"capture:{event_id}",
        },
    )
    await db.execute(sql.RECORD, event_id, "review", GIVEN_UP, now())
    log.error("captures.given_up", event_id=event_id, reason=words)


async def left_over(moment: datetime) -> list[UUID]:
    """List the devices of which events lie open that no request is at."""
    rows = await db.rows(sql.LEFT_OVER, moment, moment - UNTOUCHED)
    return [row["device_id"] for row in rows]


@recurring("captures.finish", every=15, timeout=60)
async def finish(_payload: dict[str, Any]) -> None:
    """Carry out what was kept and then left: by a process that died, or by a failure."""
    for device_id in await left_over(now()):
        await drain(device_id, patience=5)
