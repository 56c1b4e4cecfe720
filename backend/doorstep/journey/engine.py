"""The engine: `advance` is the only way a fulfilment moves.

One transaction: lock, decide, append to the chain, update the projection, run the reactions,
write outbox rows. Reactions are given once at start (`bind`); unbound, the engine refuses to run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.journey import refusals
from doorstep.journey.facts import Answer, Claim
from doorstep.journey.locked import Locked
from doorstep.journey.rules import Evidence, How, Step, Verdict
from doorstep.journey.stages import BY_CODE

MAX_DEPTH = 5
"""reaction → advance → reaction; deeper is a programming error and rolls back (DESIGN §2)."""


@dataclass
class _Run:
    """The advances of one outermost call: a reaction's own ones wait here for their turn."""

    depth: int = 0
    queue: deque[Claim] = field(default_factory=deque)


_running: ContextVar[_Run | None] = ContextVar("journey_run", default=None)


async def advance(
    event_id: UUID,
    fulfilment_id: UUID,
    stage: int,
    *,
    actor: Actor,
    evidence: Sequence[Evidence] = (),
    captured_at: datetime | None = None,
    how: How = "done",
) -> Answer:
    """Move a fulfilment through a stage, with all that follows, or say why not.

    A step of a phone, carrier, webhook, scan or job that comes too early is held and tried again
    inside the next advance; the same `event_id` changes nothing and gets its first answer. Called
    from a reaction it is queued behind it, in the same transaction.

    Raises: StageTooEarly, StageAlreadyDone, RoleNotAllowed, EvidenceMissing, FulfilmentEnded,
    StageNotApplicable for a person at the API; FulfilmentMissing; UnknownStage; EventIdReused for
    an id that stands for another parcel's step or another stage.
    """
    if stage not in BY_CODE:
        raise refusals.UnknownStage(f"{stage} is not a stage.", stage=stage)
    step = Step(stage, actor, tuple(evidence), how)
    call = Claim(event_id, fulfilment_id, step, captured_at or now())
    run = _running.get()
    if run is not None:
        if run.depth >= MAX_DEPTH:
            raise RuntimeError(f"reactions advance deeper than {MAX_DEPTH} levels")
        run.queue.append(call._replace(depth=run.depth + 1))
        return Answer(Verdict.QUEUED, "", event_id, stage, 0)
    return await _advance_all(call)


@contextmanager
def _outermost() -> Iterator[_Run]:
    run = _Run()
    token = _running.set(run)
    try:
        yield run
    finally:
        _running.reset(token)


@db.transactional
async def _advance_all(call: Claim) -> Answer:
    with _outermost() as run:
        answer = await Locked.take(call)
        await _drain(run)
    return answer


async def _drain(run: _Run) -> None:
    while run.queue:
        following = run.queue.popleft()
        run.depth = following.depth
        await Locked.take(following)


@db.transactional
async def state_fact(
    name: str,
    fulfilment_id: UUID,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Record a fact that moves no stage (bytes verified, installation approved) and react to it.

    The same `event_id` again changes nothing.

    Raises: FulfilmentMissing.
    """
    fact = (name, fulfilment_id, event_id or uuid7(), actor, data or {})
    if _running.get() is not None:
        await _record(*fact)
        return
    with _outermost() as run:
        await _record(*fact)
        await _drain(run)


async def _record(
    name: str, fulfilment_id: UUID, event_id: UUID, actor: Actor, data: dict[str, Any]
) -> None:
    journey = await Locked.enter(fulfilment_id, event_id)
    if journey.first_answer is None:
        await journey.record_fact(name, actor, data)


@db.transactional
async def announce(
    name: str, fulfilment_ids: Sequence[UUID], *, actor: Actor, data: dict[str, Any] | None = None
) -> None:
    """Run the reactions to an event that the caller's own statement has just appended (intake)."""
    with _outermost() as run:
        for fulfilment_id in fulfilment_ids:
            journey = await Locked.enter(fulfilment_id, uuid7())
            await journey.react(name, actor, (), data or {})
            await _drain(run)


async def lock(fulfilment_id: UUID) -> dict[str, Any]:
    """Take the order's lock and the fulfilment's, and read the fulfilment.

    Raises: FulfilmentMissing.
    """
    found = await db.row("SELECT * FROM journey_lock($1)", fulfilment_id)
    if found is None or found["id"] is None:
        raise refusals.FulfilmentMissing(str(fulfilment_id))
    return found


async def set_po(fulfilment_id: UUID, po_id: UUID) -> None:
    """Tie a fulfilment to the purchase order that buys its goods; the caller holds its lock."""
    await db.execute("UPDATE fulfilment SET po_id = $2 WHERE id = $1", fulfilment_id, po_id)
