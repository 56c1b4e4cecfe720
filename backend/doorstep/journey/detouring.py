"""Opening and settling detours of one locked fulfilment: decide, write, react."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.journey import refusals
from doorstep.journey.detour_rules import decide_opening, decide_settling
from doorstep.journey.detours import BY_KIND, Detour
from doorstep.journey.entries import entry
from doorstep.journey.facts import Answer, Claim, derived_id
from doorstep.journey.locked import Locked
from doorstep.journey.rules import Cause, Decision, Evidence, Step, Verdict


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of a line that a detour is about."""

    fulfilment_line_id: UUID
    quantity: int
    serials: tuple[str, ...] = ()


class Report(NamedTuple):
    """What somebody reports: a detour of a fulfilment.

    `reason` is a code of its row, `detail` says more in words, `lines` which goods (empty: all),
    `expected_on` by when it is expected to be over.
    """

    event_id: UUID
    fulfilment_id: UUID
    kind: str
    actor: Actor
    reason: str
    detail: str
    lines: Sequence[Quantity]
    evidence: Sequence[Evidence]
    captured_at: datetime
    overtaken: bool
    expected_on: date | None = None

    @property
    def step(self) -> Step:
        """The report as a step that passes no stage, and is itself a proof of what it implies."""
        return Step(0, self.actor, (Evidence("report", str(self.event_id)), *self.evidence))


async def open_case(report: Report) -> Answer:
    """Open the detour, or keep the report beside the journey and say why."""
    journey = await Locked.enter(report.fulfilment_id, report.event_id)
    known = journey.first_answer_to(report.kind)
    if known is not None:
        return known
    detour = BY_KIND[report.kind]
    if report.reason not in detour.reasons and (report.reason or detour.reasons):
        raise refusals.UnknownReason(
            f"{report.reason or 'none'!r}", kind=report.kind, reasons=sorted(detour.reasons)
        )
    decision = decide_opening(journey.standing, detour, report.actor, overtaken=report.overtaken)
    if decision.verdict is Verdict.APPLIED:
        await _open(journey, detour, report, decision)
        await journey.follow_on(report.actor)
        return journey.answer(decision.verdict, report.reason, 0)
    elif report.actor.source == "person":
        raise refusals.of_detour(decision, report.kind)
    elif decision.verdict is Verdict.DUPLICATE and decision.cause is Cause.OVERTAKEN:
        await _record(journey, detour, report, decision, closed_as="overtaken")
        await journey.react("detour_overtaken", report.actor, report.evidence, _data(report))
    else:
        await journey.keep_claim(report.kind, report.step, report.captured_at, decision)
    return journey.answer(decision.verdict, decision.reason, 0)


async def _open(journey: Locked, detour: Detour, report: Report, decision: Decision) -> None:
    if detour.kind in journey.detours:
        # Another attempt has failed, or another delay has come: what was before is over with it.
        before = derived_id(journey.detours[detour.kind], "settled")
        await journey.close_detour(detour.kind, before, report.step, closed_as="overtaken")
    if decision.passings:
        # Missing scans are implied by what is reported, with the report as their evidence.
        call = Claim(report.event_id, journey.id, report.step, report.captured_at)
        await journey.settle(call, decision.passings)
    await _record(journey, detour, report, decision)
    if detour.ends_as is not None:
        for kind in sorted(set(journey.detours) - {detour.kind}):
            closing = derived_id(journey.detours[kind], "ended")
            await journey.close_detour(kind, closing, report.step, closed_as="ended")
    data = _data(report)
    await journey.react(detour.kind, report.actor, report.evidence, data)
    await journey.react("detour_opened", report.actor, report.evidence, data)


def _data(report: Report) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "case_id": str(report.event_id),
        "reason": report.reason,
        "detail": report.detail,
        "expected_on": report.expected_on,
        "lines": msgspec.to_builtins(list(report.lines)),
    }


async def _record(
    journey: Locked,
    detour: Detour,
    report: Report,
    decision: Decision,
    *,
    closed_as: str | None = None,
) -> None:
    """Write the event and the case; an end or a new attempt takes hold with the event."""
    living = closed_as is None
    if living and detour.ends_as is not None:
        closed_as = "ended"
    attempt, frozen = journey.attempt, journey.row["progress"]
    await journey.append(
        [
            entry(
                report.event_id,
                "detour",
                detour.kind,
                report.actor,
                report.evidence,
                report.captured_at,
                stage=detour.restarts if living else None,
                ends_as=detour.ends_as if living else None,
                verdict=decision.verdict,
                reason=report.reason if living else decision.reason,
            )
        ]
    )
    if living:
        journey.turn(detour)
    await db.execute(
        "INSERT INTO detour_case (id, fulfilment_id, order_id, kind, attempt, blocks_from, holds_from,"
        " reason, detail, lines, progress, opened_role, opened_source, happened_at, opened_at,"
        " closed_at, closed_as, expected_on)"
        " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,"
        " CASE WHEN $16::text IS NOT NULL THEN $15::timestamptz END,$16,$17)",
        report.event_id,
        journey.id,
        journey.row["order_id"],
        detour.kind,
        attempt,
        detour.blocks_from,
        detour.holds_from,
        report.reason,
        report.detail,
        msgspec.to_builtins(list(report.lines)),
        frozen,
        report.actor.role,
        report.actor.source,
        report.captured_at,
        now(),
        closed_as,
        report.expected_on,
    )
    if closed_as is None:
        journey.detours[detour.kind] = report.event_id
        if report.actor.source == "carrier":
            journey.carrier_at[detour.kind] = report.captured_at


async def settle_case(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    *,
    actor: Actor,
    evidence: Sequence[Evidence] = (),
) -> Answer:
    """Settle an open detour on somebody's word; what it has held back is tried again."""
    journey = await Locked.enter(fulfilment_id, event_id)
    known = journey.first_answer_to(f"{kind}_settled")
    if known is not None:
        return known
    step = Step(0, actor, evidence)
    decision = decide_settling(journey.standing, BY_KIND[kind], actor)
    if decision.verdict is Verdict.APPLIED:
        await journey.close_detour(kind, event_id, step)
        await journey.follow_on(actor)
    elif actor.source == "person":
        raise refusals.of_detour(decision, kind)
    else:
        await journey.keep_claim(f"{kind}_settled", step, now(), decision)
    return journey.answer(decision.verdict, decision.reason, 0)
