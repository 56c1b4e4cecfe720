"""One fulfilment, locked, for the length of one step: decide, write, react."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.journey import refusals
from doorstep.journey.detour_rules import settled_by_passing
from doorstep.journey.detours import Detour
from doorstep.journey.entries import entry
from doorstep.journey.facts import Answer, Claim, Fact, derived_id, reactions_to
from doorstep.journey.rules import (
    Decision,
    Evidence,
    Passing,
    Standing,
    Step,
    Verdict,
    decide,
    is_unseen,
    next_not_applicable,
    standing_at,
)
from doorstep.journey.stages import Flags


class Locked:
    """One fulfilment, locked, for the length of one step."""

    def __init__(self, state: dict[str, Any], event_id: UUID) -> None:
        self.event_id = event_id
        self.row = _typed(state["fulfilment"])
        self.id: UUID = self.row["id"]
        self.attempt: int = self.row["attempt"]
        self.flags = msgspec.convert(self.row, Flags)
        self.detours = {d["kind"]: UUID(d["id"]) for d in state["detours"]}
        self.carrier_at = {
            d["kind"]: datetime.fromisoformat(d["carrier_at"])
            for d in state["detours"]
            if d["carrier_at"]
        }
        """When the open detours happened that a carrier has told, by his clock."""
        self.passed = {p["stage"]: _uuid(p["actor_id"]) for p in state["passed"]}
        self.unseen = {
            p["stage"] for p in state["passed"] if is_unseen(p["stage"], p["how"], self.flags)
        }
        self.held = [h for h in state["held"] if h["released_at"] is None]
        self._first_answer = self._answered(state)

    @classmethod
    async def enter(cls, fulfilment_id: UUID, event_id: UUID) -> Locked:
        state = await db.value("SELECT journey_enter($1, $2)", fulfilment_id, event_id)
        if state is None:
            raise refusals.FulfilmentMissing(str(fulfilment_id))
        if state["taken"]:
            raise EventIdReused(str(event_id))
        return cls(state, event_id)

    @classmethod
    async def take(cls, call: Claim) -> Answer:
        journey = await cls.enter(call.fulfilment_id, call.event_id)
        known = journey.first_answer_to(str(call.step.stage))
        if known is not None:
            return known
        decision = decide(journey.standing, call.step)
        return await journey.carry_out(call, decision)

    def _answered(self, state: dict[str, Any]) -> tuple[str, Answer] | None:
        for held in state["held"]:
            if UUID(held["event_id"]) == self.event_id:
                name = str(held["stage"])
                return name, self.answer(Verdict.HELD, held["waits_for"], held["stage"])
        answered = state["answered"]
        if answered is None:
            return None
        name = answered["name"]
        stage = int(name) if name.isdecimal() else 0
        return name, self.answer(Verdict(answered["verdict"]), answered["reason"], stage)

    def first_answer_to(self, name: str) -> Answer | None:
        """Give what this event id was answered when it first came; None when it is new.

        Raises: EventIdReused for an id that stood for another claim.
        """
        if self._first_answer is None:
            return None
        said, answer = self._first_answer
        if said != name:
            raise EventIdReused(str(self.event_id))
        return answer

    @property
    def standing(self) -> Standing:
        return Standing(
            self.flags,
            self.row["state"] == "ended",
            frozenset(self.detours),
            self.passed,
            frozenset(self.unseen),
        )

    def answer(self, verdict: Verdict, reason: str, stage: int) -> Answer:
        return Answer(verdict, reason, self.event_id, stage, self.row["progress"])

    async def carry_out(self, call: Claim, decision: Decision) -> Answer:
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

    async def settle(self, call: Claim, passings: Sequence[Passing]) -> None:
        """Append the passings in one go, then run each one's reactions in order."""
        step = call.step
        entries = []
        for passing in passings:
            own = passing.stage == step.stage
            entries.append(
                entry(
                    call.event_id
                    if own
                    else derived_id(self.id, f"{call.event_id}:{passing.stage}"),
                    "stage",
                    str(passing.stage),
                    step.actor,
                    step.evidence,
                    call.captured_at,
                    how=passing.how,
                    stage=passing.stage,
                )
            )
            self.passed[passing.stage] = step.actor.person_id if own else None
            if is_unseen(passing.stage, passing.how, self.flags):
                self.unseen.add(passing.stage)
        await self.append(entries)
        for passing in passings:
            await self.react(str(passing.stage), step.actor, step.evidence, {"how": passing.how})
        stages = [passing.stage for passing in passings]
        for kind in settled_by_passing(self.detours, stages, told_later=self._told_later(call)):
            await self.close_detour(kind, derived_id(self.detours[kind], "settled"), step)

    def _told_later(self, call: Claim) -> set[str]:
        """Name the detours that happened after what is claimed, both by the carrier's clock."""
        if call.step.actor.source != "carrier":
            return set()
        return {kind for kind, at in self.carrier_at.items() if at > call.captured_at}

    async def follow_on(self, actor: Actor) -> None:
        """Record what does not apply now that its turn has come, then try the held steps again.

        After an end nothing passes any more: held steps are kept for review, so that none waits
        for ever.
        """
        while True:
            ended = self.row["state"] == "ended"
            code = None if ended else next_not_applicable(self.flags, self.passed)
            if code is not None:
                await self._pass_by(code, actor)
            elif not await self._release_one():
                return

    async def _pass_by(self, code: int, actor: Actor) -> None:
        system = Actor.system("journey", request_id=actor.request_id)
        call = Claim(
            derived_id(self.id, f"not-applicable:{code}", self.attempt),
            self.id,
            Step(code, system, ()),
            now(),
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
            call = Claim(
                UUID(held["event_id"]),
                self.id,
                step,
                datetime.fromisoformat(held["captured_at"]),
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

    async def hold(self, call: Claim, waits_for: str) -> None:
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

    async def keep(self, call: Claim, decision: Decision) -> None:
        """Store a step as evidence beside the journey; a review asks a person to look."""
        stage = call.step.stage
        await self._keep(call.event_id, str(stage), stage, call.step, call.captured_at, decision)

    async def keep_claim(
        self, name: str, step: Step, captured_at: datetime, decision: Decision
    ) -> None:
        """Store what somebody said of a detour as evidence beside the journey."""
        await self._keep(self.event_id, name, None, step, captured_at, decision)

    async def _keep(
        self,
        event_id: UUID,
        name: str,
        stage: int | None,
        step: Step,
        captured_at: datetime,
        decision: Decision,
    ) -> None:
        kept = entry(
            event_id,
            "evidence",
            name,
            step.actor,
            step.evidence,
            captured_at,
            stage=stage,
            verdict=decision.verdict,
            reason=decision.reason,
        )
        await self.append([kept])
        if decision.verdict in (Verdict.REVIEW, Verdict.REJECTED):
            data = {"what": name, "reason": decision.reason, "cause": decision.cause}
            await self.react("review_opened", step.actor, step.evidence, data)

    def turn(self, detour: Detour) -> None:
        """Follow here what a detour's event has done to the row: an end, or a new attempt."""
        if detour.ends_as is not None:
            self.row |= {"state": "ended", "ended_as": detour.ends_as}
        elif detour.restarts is not None:
            self.attempt += 1
            self.row |= {"attempt": self.attempt}
            self.passed = {s: who for s, who in self.passed.items() if s < detour.restarts}
            self.unseen = {s for s in self.unseen if s < detour.restarts}

    async def record_fact(self, name: str, actor: Actor, data: dict[str, Any]) -> None:
        await self.append([entry(self.event_id, "fact", name, actor, (), now())])
        await self.react(name, actor, (), data)

    async def close_detour(
        self, kind: str, event_id: UUID, step: Step, *, closed_as: str = "settled"
    ) -> None:
        """Settle an open detour, in the chain and in its case, and let others hear of it."""
        case_id = self.detours.pop(kind)
        self.carrier_at.pop(kind, None)
        settled = entry(event_id, "detour", f"{kind}_settled", step.actor, step.evidence, now())
        await self.append([settled])
        closed = await db.one(
            "UPDATE detour_case SET closed_at = $2, closed_as = $3 WHERE id = $1"
            " RETURNING reason, lines",
            case_id,
            now(),
            closed_as,
        )
        data = {"kind": kind, "case_id": str(case_id), "closed_as": closed_as, **closed}
        if closed_as != "overtaken":
            # Otherwise another of its kind takes its place, and the task with it.
            await self.react(f"{kind}_{closed_as}", step.actor, step.evidence, data)
            await self.react("detour_settled", step.actor, step.evidence, data)

    async def append(self, entries: list[dict[str, Any]]) -> None:
        stage, progress = standing_at(self.passed)
        head = await db.value(
            "SELECT journey_append($1, $2, $3, $4)", self.id, entries, stage, progress
        )
        self.row |= {
            "stage": max(stage, self.row["stage"]),
            "progress": max(progress, self.row["progress"]),
            "head_seq": head,
        }

    async def react(
        self, name: str, actor: Actor, evidence: Sequence[Evidence], data: dict[str, Any]
    ) -> None:
        fact = Fact(
            name=name,
            event_id=self.event_id,
            order_id=self.row["order_id"],
            fulfilment_id=self.id,
            fulfilment=self.row,
            actor=actor,
            attempt=self.attempt,
            evidence=tuple(evidence),
            data=data,
        )
        for reaction in reactions_to(name):
            await reaction(fact)


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


_UUID_COLUMNS = (
    "id", "order_id", "channel_id", "location_id", "owner_id", "po_id", "replaces_id",
)  # fmt: skip


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return row | {column: _uuid(row[column]) for column in _UUID_COLUMNS}
