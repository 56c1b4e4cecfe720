"""The engine: `advance` is the only way a fulfilment moves.

One transaction: lock, decide, append to the chain, update the projection, run the reactions,
write outbox rows. Reactions are given once at start (`bind`); unbound, the engine refuses to run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.journey import dating, refusals
from doorstep.journey.detouring import Quantity, Report, open_case, settle_case
from doorstep.journey.facts import Answer, Claim
from doorstep.journey.locked import Locked
from doorstep.journey.rules import Evidence, How, Step, Verdict
from doorstep.journey.stages import BY_CODE

MAX_DEPTH = 5
"""reaction → advance → reaction; deeper is a programming error and rolls back (DESIGN §2)."""

Move = Callable[[], Awaitable[Answer]]
"""A claimed stage, or a detour opened or settled, ready to be judged under the lock."""


@dataclass
class _Run:
    """The steps of one outermost call: a reaction's own ones wait here for their turn."""

    depth: int = 0
    queue: deque[tuple[int, Move]] = field(default_factory=deque)


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
    return await _in_turn(partial(Locked.take, call), event_id, stage)


async def _in_turn(move: Move, event_id: UUID, stage: int) -> Answer:
    """Make a move now, or behind the reaction that asks for it, in the same transaction."""
    run = _running.get()
    if run is None:
        return await _take_all(move)
    if run.depth >= MAX_DEPTH:
        raise RuntimeError(f"reactions advance deeper than {MAX_DEPTH} levels")
    run.queue.append((run.depth + 1, move))
    return Answer(Verdict.QUEUED, "", event_id, stage, 0)


@contextmanager
def _outermost() -> Iterator[_Run]:
    run = _Run()
    token = _running.set(run)
    try:
        yield run
    finally:
        _running.reset(token)


@db.transactional
async def _take_all(move: Move) -> Answer:
    with _outermost() as run:
        answer = await move()
        await _drain(run)
    return answer


async def _drain(run: _Run) -> None:
    while run.queue:
        run.depth, move = run.queue.popleft()
        await move()


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
    if journey.first_answer_to(name) is None:
        await journey.record_fact(name, actor, data)


async def open_detour(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    *,
    actor: Actor,
    reason: str = "",
    detail: str = "",
    lines: Sequence[Quantity] = (),
    evidence: Sequence[Evidence] = (),
    captured_at: datetime | None = None,
    overtaken: bool = False,
    expected_on: date | None = None,
) -> Answer:
    """Open a detour of journey/detours.py, with all that follows, or say why not.

    The case has the event's id. `overtaken`: the reporter's own clock shows that the goods are
    further; then it is kept as a case that is over. `expected_on`: by when it will be. The same
    `event_id` again changes nothing.

    Raises: DetourNotPossible, DetourKnown, RoleNotAllowed, FulfilmentEnded for a person at the API;
    UnknownReason; FulfilmentMissing; EventIdReused.
    """
    report = Report(
        event_id, fulfilment_id, kind, actor, reason, detail, lines, evidence,
        captured_at or now(), overtaken, expected_on,
    )  # fmt: skip
    return await _in_turn(partial(open_case, report), event_id, 0)


async def settle_detour(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    *,
    actor: Actor,
    evidence: Sequence[Evidence] = (),
) -> Answer:
    """Say that an open detour is over; the journey goes on where it stood.

    Raises: DetourKnown when it is not open, RoleNotAllowed for a person at the API;
    FulfilmentMissing; EventIdReused.
    """
    settle = partial(settle_case, event_id, fulfilment_id, kind, actor=actor, evidence=evidence)
    return await _in_turn(settle, event_id, 0)


async def set_date(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    expected_on: date,
    *,
    today: date,
    actor: Actor,
    words: str = "",
) -> Answer:
    """Say by when an open detour is expected to be over, which asks for a new yes to it.

    `today` is that of the channel's clock; `words` say why. The same `event_id` again changes
    nothing, nor does the same date.

    Raises: DateNotAhead; DetourKnown when it is not open; RoleNotAllowed; FulfilmentMissing;
    EventIdReused.
    """
    word = partial(
        dating.set_date, event_id, fulfilment_id, kind, expected_on,
        today=today, actor=actor, words=words,
    )  # fmt: skip
    return await _in_turn(word, event_id, 0)


async def accept_date(
    event_id: UUID, fulfilment_id: UUID, kind: str, expected_on: date, *, today: date, actor: Actor
) -> Answer:
    """Say yes to the date of an open detour, which goes on waiting; twice is once.

    Raises: DateNotOffered for another date than it has, or when that is over; DetourKnown when it
    is not open; RoleNotAllowed; FulfilmentMissing; EventIdReused.
    """
    word = partial(
        dating.accept_date, event_id, fulfilment_id, kind, expected_on, today=today, actor=actor
    )
    return await _in_turn(word, event_id, 0)


@db.transactional
async def pass_date(fulfilment_id: UUID, kind: str, *, today: date, actor: Actor) -> bool:
    """Note that the date of an open detour is over; tells whether it was. Somebody must say another.

    Raises: FulfilmentMissing.
    """
    with _outermost() as run:
        passed = await dating.pass_date(fulfilment_id, kind, today=today, actor=actor)
        await _drain(run)
    return passed


@db.transactional
async def keep_date(fulfilment_id: UUID, kind: str, before: UUID, *, actor: Actor) -> bool:
    """Let goods that were split off keep the date of the case `before`, in their own open detour.

    Tells whether it had one.

    Raises: FulfilmentMissing.
    """
    with _outermost() as run:
        kept = await dating.keep_date(fulfilment_id, kind, before, actor=actor)
        await _drain(run)
    return kept


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
