"""The engine: `advance` is the only way a fulfilment moves.

One transaction: lock, decide, append to the chain, update the projection, run the reactions,
write outbox rows. Reactions are given once at start (`bind`); unbound, the engine refuses to run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.journey import refusals
from doorstep.journey.rules import (
    Cause,
    Decision,
    Evidence,
    How,
    Passing,
    Standing,
    Step,
    Verdict,
    decide,
    next_not_applicable,
    standing_at,
)
from doorstep.journey.stages import BY_CODE, Flags

MAX_DEPTH = 5
"""reaction → advance → reaction; deeper is a programming error and rolls back (DESIGN §2)."""


class Answer(msgspec.Struct, frozen=True):
    """What became of a step; the same event_id always gets the same answer."""

    verdict: Verdict
    reason: str
    event_id: UUID
    stage: int
    progress: int


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is now true of a fulfilment, as its reactions see it."""

    name: str
    order_id: UUID
    fulfilment_id: UUID
    fulfilment: dict[str, Any]
    actor: Actor
    attempt: int
    evidence: tuple[Evidence, ...]
    data: dict[str, Any]


Reaction = Callable[[Fact], Awaitable[None]]

_reactions: Mapping[str, Sequence[Reaction]] | None = None


class _Advance(NamedTuple):
    event_id: UUID
    fulfilment_id: UUID
    step: Step
    captured_at: datetime
    depth: int


@dataclass
class _Run:
    """The advances of one outermost call: a reaction's own ones wait here for their turn."""

    depth: int = 0
    queue: deque[_Advance] = field(default_factory=deque)


_running: ContextVar[_Run | None] = ContextVar("journey_run", default=None)


def bind(reactions: Mapping[str, Sequence[Reaction]]) -> None:
    """Give the engine the second table; called once by each composition root."""
    global _reactions  # noqa: PLW0603 - the table is bound once per process.
    _reactions = reactions


def derived_id(fulfilment_id: UUID, name: str, attempt: int = 1) -> UUID:
    """Make the event id of a step of our own, so that a job that runs twice passes the same one."""
    return uuid5(NAMESPACE_URL, f"doorstep:{fulfilment_id}:{name}:{attempt}")


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
    StageNotApplicable for a person at the API; FulfilmentMissing; UnknownStage.
    """
    if stage not in BY_CODE:
        raise refusals.UnknownStage(f"{stage} is not a stage.", stage=stage)
    step = Step(stage, actor, tuple(evidence), how)
    call = _Advance(event_id, fulfilment_id, step, captured_at or now(), 0)
    run = _running.get()
    if run is not None:
        if run.depth >= MAX_DEPTH:
            raise RuntimeError(f"reactions advance deeper than {MAX_DEPTH} levels")
        run.queue.append(call._replace(depth=run.depth + 1))
        return Answer(Verdict.QUEUED, "", event_id, stage, 0)
    return await _advance_all(call)


@db.transactional
async def _advance_all(call: _Advance) -> Answer:
    run = _Run()
    token = _running.set(run)
    try:
        answer = await _Journey.take(run, call)
        await _drain(run)
    finally:
        _running.reset(token)
    return answer


async def _drain(run: _Run) -> None:
    while run.queue:
        following = run.queue.popleft()
        run.depth = following.depth
        await _Journey.take(run, following)


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
    run = _running.get()
    token = None
    if run is None:
        run = _Run()
        token = _running.set(run)
    try:
        journey = await _Journey.enter(run, fulfilment_id, event_id or uuid7())
        if journey.first_answer is None:
            await journey.record_fact(name, actor, data or {})
        if token is not None:
            await _drain(run)
    finally:
        if token is not None:
            _running.reset(token)


async def announce(
    name: str, fulfilment_ids: Sequence[UUID], *, actor: Actor, data: dict[str, Any] | None = None
) -> None:
    """Run the reactions to an event that the caller's own statement has just appended (intake)."""
    for fulfilment_id in fulfilment_ids:
        run = _Run()
        token = _running.set(run)
        try:
            journey = await _Journey.enter(run, fulfilment_id, uuid7())
            await journey.react(name, actor, (), data or {})
            await _drain(run)
        finally:
            _running.reset(token)


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


class _Journey:
    """One fulfilment, locked, for the length of one step."""

    def __init__(self, run: _Run, state: dict[str, Any], event_id: UUID) -> None:
        self.run = run
        self.event_id = event_id
        self.row = _typed(state["fulfilment"])
        self.id: UUID = self.row["id"]
        self.attempt: int = self.row["attempt"]
        self.flags = msgspec.convert(self.row, Flags)
        self.blocking = frozenset(state["blocking"])
        self.passed = {p["stage"]: _uuid(p["actor_id"]) for p in state["passed"]}
        self.implied = {p["stage"] for p in state["passed"] if p["how"] == "implied"}
        self.held = [h for h in state["held"] if h["released_at"] is None]
        self.first_answer = self._answered(state)

    @classmethod
    async def enter(cls, run: _Run, fulfilment_id: UUID, event_id: UUID) -> _Journey:
        state = await db.value("SELECT journey_enter($1, $2)", fulfilment_id, event_id)
        if state is None:
            raise refusals.FulfilmentMissing(str(fulfilment_id))
        return cls(run, state, event_id)

    @classmethod
    async def take(cls, run: _Run, call: _Advance) -> Answer:
        journey = await cls.enter(run, call.fulfilment_id, call.event_id)
        if journey.first_answer is not None:
            return journey.first_answer
        decision = decide(journey.standing, call.step)
        return await journey.carry_out(call, decision)

    def _answered(self, state: dict[str, Any]) -> Answer | None:
        for held in state["held"]:
            if UUID(held["event_id"]) == self.event_id:
                return self.answer(Verdict.HELD, held["waits_for"], held["stage"])
        answered = state["answered"]
        if answered is None:
            return None
        return self.answer(Verdict(answered["verdict"]), answered["reason"], answered["stage"] or 0)

    @property
    def standing(self) -> Standing:
        return Standing(
            self.flags,
            self.row["state"] == "ended",
            self.blocking,
            self.passed,
            frozenset(self.implied),
        )

    def answer(self, verdict: Verdict, reason: str, stage: int) -> Answer:
        return Answer(verdict, reason, self.event_id, stage, self.row["progress"])

    async def carry_out(self, call: _Advance, decision: Decision) -> Answer:
        """Write what was decided, or refuse a person; nothing is kept of a refusal."""
        step = call.step
        if decision.verdict is Verdict.APPLIED:
            await self.settle(call, decision.passings)
            await self.follow_on(step.actor)
        elif step.actor.source == "person":
            raise refusals.for_person(decision, step.stage)
        elif decision.verdict is Verdict.HELD:
            await self.hold(call, decision.reason)
        else:
            await self.keep(call, decision)
        return self.answer(decision.verdict, decision.reason, step.stage)

    async def settle(self, call: _Advance, passings: Sequence[Passing]) -> None:
        """Append the passings in one go, then run each one's reactions in order."""
        step = call.step
        entries = []
        for passing in passings:
            own = passing.stage == step.stage
            entries.append(
                self.entry(
                    call.event_id
                    if own
                    else derived_id(self.id, f"{call.event_id}:{passing.stage}"),
                    "stage",
                    str(passing.stage),
                    passing.how,
                    step,
                    call.captured_at,
                    stage=passing.stage,
                )
            )
            self.passed[passing.stage] = step.actor.person_id if own else None
            if passing.how == "implied":
                self.implied.add(passing.stage)
        await self.append(entries)
        for passing in passings:
            await self.react(str(passing.stage), step.actor, step.evidence, {"how": passing.how})

    async def follow_on(self, actor: Actor) -> None:
        """Record what does not apply now that its turn has come, then try the held steps again."""
        while True:
            code = next_not_applicable(self.flags, self.passed)
            if code is not None:
                await self._pass_by(code, actor)
            elif not await self._release_one():
                return

    async def _pass_by(self, code: int, actor: Actor) -> None:
        system = Actor.system("journey", request_id=actor.request_id)
        call = _Advance(
            derived_id(self.id, f"not-applicable:{code}", self.attempt),
            self.id,
            Step(code, system, ()),
            now(),
            self.run.depth,
        )
        await self.settle(call, (Passing(code, "not_applicable"),))

    async def _release_one(self) -> bool:
        for held in self.held:
            step = Step(
                held["stage"],
                msgspec.convert(held["actor"], Actor, strict=False),
                msgspec.convert(held["evidence"], tuple[Evidence, ...]),
            )
            decision = decide(self.standing, step)
            if decision.verdict is Verdict.HELD:
                continue
            self.held.remove(held)
            call = _Advance(
                UUID(held["event_id"]),
                self.id,
                step,
                datetime.fromisoformat(held["captured_at"]),
                self.run.depth,
            )
            await db.execute(
                "UPDATE held_step SET released_at = $2, verdict = $3 WHERE event_id = $1",
                call.event_id,
                now(),
                decision.verdict.value,
            )
            if decision.verdict is Verdict.APPLIED:
                await self.settle(call, decision.passings)
            else:
                await self.keep(call, decision)
            return True
        return False

    async def hold(self, call: _Advance, waits_for: str) -> None:
        """Store a step that came too early; it is tried again in the next advance."""
        await db.execute(
            "INSERT INTO held_step (event_id, fulfilment_id, order_id, stage, actor, evidence,"
            " captured_at, recorded_at, waits_for) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            call.event_id,
            self.id,
            self.row["order_id"],
            call.step.stage,
            msgspec.to_builtins(call.step.actor),
            msgspec.to_builtins(call.step.evidence),
            call.captured_at,
            now(),
            waits_for,
        )

    async def keep(self, call: _Advance, decision: Decision) -> None:
        """Store a step as evidence beside the journey; a review asks a person to look."""
        await self.append(
            [
                self.entry(
                    call.event_id,
                    "evidence",
                    str(call.step.stage),
                    "done",
                    call.step,
                    call.captured_at,
                    stage=call.step.stage,
                    verdict=decision.verdict,
                    reason=decision.reason,
                )
            ]
        )
        if decision.verdict in (Verdict.REVIEW, Verdict.REJECTED):
            data = {"stage": call.step.stage, "reason": decision.reason, "cause": decision.cause}
            await self.react("review_opened", call.step.actor, call.step.evidence, data)

    async def record_fact(self, name: str, actor: Actor, data: dict[str, Any]) -> None:
        step = Step(0, actor, ())
        await self.append([self.entry(self.event_id, "fact", name, "done", step, now())])
        await self.react(name, actor, (), data)

    def entry(
        self,
        event_id: UUID,
        kind: str,
        name: str,
        how: How,
        step: Step,
        captured_at: datetime,
        *,
        stage: int | None = None,
        verdict: Verdict = Verdict.APPLIED,
        reason: str = "",
    ) -> dict[str, Any]:
        actor = step.actor
        return {
            "event_id": event_id,
            "kind": kind,
            "name": name,
            "stage": stage,
            "how": how,
            "verdict": verdict,
            "reason": reason,
            "actor_id": actor.person_id,
            "actor_role": actor.role,
            "source": actor.source,
            "device": actor.device,
            "captured_at": captured_at,
            "recorded_at": now(),
            "request_id": actor.request_id,
            "evidence": step.evidence,
        }

    async def append(self, entries: list[dict[str, Any]]) -> None:
        stage, progress = standing_at(self.passed)
        head = await db.value(
            "SELECT journey_append($1, $2, $3, $4)", self.id, entries, stage, progress
        )
        self.row |= {"stage": stage, "progress": progress, "head_seq": head}

    async def react(
        self, name: str, actor: Actor, evidence: Sequence[Evidence], data: dict[str, Any]
    ) -> None:
        if _reactions is None:
            raise RuntimeError("the journey has no reactions: call journey.bind() at start")
        fact = Fact(
            name=name,
            order_id=self.row["order_id"],
            fulfilment_id=self.id,
            fulfilment=self.row,
            actor=actor,
            attempt=self.attempt,
            evidence=tuple(evidence),
            data=data,
        )
        for reaction in _reactions.get(name, ()):
            await reaction(fact)


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


_UUID_COLUMNS = (
    "id", "order_id", "channel_id", "location_id", "owner_id", "po_id", "replaces_id",
)  # fmt: skip


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return row | {column: _uuid(row[column]) for column in _UUID_COLUMNS}


__all__ = [
    "Answer",
    "Cause",
    "Fact",
    "advance",
    "announce",
    "bind",
    "derived_id",
    "lock",
    "state_fact",
]
