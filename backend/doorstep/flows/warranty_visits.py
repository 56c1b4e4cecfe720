"""Visits that answer a warranty claim, done or not: the journey stands still, the ticket moves."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.flows import earnings, install, repairs
from doorstep.flows.install import LEAD
from doorstep.journey import Verdict
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import ReportIncomplete
from doorstep.modules.fsm.schemas import VisitCompleted, VisitFailed
from doorstep.modules.helpdesk.service import tickets

# What was claimed, as the goods that the technician finds.
CLAIMED = """
SELECT c.id, c.order_id, c.fulfilment_id, t.state AS ticket_state, w.fulfilment_line_id, w.product_id,
       p.name, w.serial, p.install_skill, o.channel_id, h.zone
  FROM warranty_claim c
  JOIN ticket t ON t.id = c.id
  JOIN warranty w ON w.id = c.warranty_id
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = c.order_id
  JOIN channel h ON h.id = o.channel_id
 WHERE c.id = $1
"""

OF_VISITS = 1015
"""The stage that stands in every answer about a visit; a repair does not pass it again."""


async def complete(
    visit: dict[str, Any], fulfilment: dict[str, Any], report: VisitCompleted, *, actor: Actor
) -> journey.Answer:
    """Keep the report of a repair; one that agrees resolves its ticket, else support looks.

    `visit`: (id, order_id, fulfilment_id, claim_id). Raises: ReportIncomplete for a person at a screen.
    """
    claimed = await db.one(CLAIMED, visit["claim_id"])
    judged = rules.judge(report, [_line(claimed)], {})
    if judged.missing and actor.source == "person":
        raise ReportIncomplete(missing=judged.missing)
    reason = f"The report lacks: {', '.join(judged.missing)}." if judged.missing else ""
    verdict = Verdict.REVIEW if judged.missing else Verdict.APPLIED
    await fsm.keep_report(actor, visit, report, judged, verdict=verdict.value, reason=reason)
    await previews.name(report.photos, actor=actor)
    await fsm.complete_visit(visit["id"])
    system = Actor.system("warranty_visits", request_id=actor.request_id)
    asked = [*judged.missing, *judged.disagreements]
    if asked:
        await _note(
            claimed, report.event_id, "The repair was reported; look at this: ", asked, system
        )
    else:
        await repairs.resolve_ticket(
            claimed["id"],
            journey.derived_id(visit["fulfilment_id"], f"repaired:{report.event_id}"),
            "Repaired at a visit.",
            actor=system,
        )
    await earnings.settle(visit["fulfilment_id"])
    return journey.Answer(verdict, reason, report.event_id, OF_VISITS, fulfilment["progress"])


def _line(claimed: dict[str, Any]) -> rules.Line:
    """Give the claimed piece as a line to be reported: no checklist says how it is repaired."""
    serials = (claimed["serial"],) if claimed["serial"] else ()
    return rules.Line(
        claimed["fulfilment_line_id"],
        claimed["product_id"],
        claimed["name"],
        1,
        bool(serials),
        serials,
        has_checklist=False,
    )


async def fail(visit: dict[str, Any], told: VisitFailed, *, actor: Actor) -> journey.Answer:
    """Keep why a repair could not be finished, and book the next free time while the claim is open.

    Raises: EventIdReused.
    """
    fulfilment = await journey.lock(visit["fulfilment_id"])
    answer = journey.Answer(Verdict.APPLIED, "", told.event_id, OF_VISITS, fulfilment["progress"])
    known = await fsm.known_failure(told.event_id)
    if known is not None:
        if (known["visit_id"], known["reason"]) != (visit["id"], told.reason):
            raise EventIdReused(str(told.event_id))
        return answer
    await previews.name(told.photos, actor=actor)
    await fsm.keep_failure(actor, visit, told, answer.verdict.value)
    await fsm.fail_visit(visit["id"])
    claimed = await db.one(CLAIMED, visit["claim_id"])
    system = Actor.system("warranty_visits", request_id=actor.request_id)
    if claimed["ticket_state"] in ("open", "waiting"):
        booked = await _book_again(claimed)
        after = "The next visit is booked." if booked else "No time is free: agree on one."
        await _note(claimed, told.event_id, f"The repair failed. {after} ", [told.reason], system)
    await earnings.settle(visit["fulfilment_id"])
    return answer


async def _book_again(claimed: dict[str, Any]) -> bool:
    since = now() + LEAD
    skills = [claimed["install_skill"]] if claimed["install_skill"] else []
    slots = await fsm.free_slots(
        await fsm.technicians_for(claimed["channel_id"], skills),
        ZoneInfo(claimed["zone"]),
        rules.Span(since, since + install.HORIZON),
        repairs.LENGTH,
        install.SLOTS_TRIED,
    )
    for slot in slots:
        span = rules.Span(slot.start, slot.end)
        if await repairs.book(
            claimed["id"],
            claimed["order_id"],
            claimed["fulfilment_id"],
            slot.technician_id,
            span,
            claimed["install_skill"],
        ):
            return True
    return False


async def _note(
    claimed: dict[str, Any], event_id: UUID, words: str, things: list[str], actor: Actor
) -> None:
    """Write a word for support on the claim's ticket; on a closed one nobody waits for it."""
    if claimed["ticket_state"] == "closed":
        return
    await tickets.add_message(
        claimed["id"],
        journey.derived_id(claimed["fulfilment_id"], f"repair:{event_id}"),
        "internal",
        words + ", ".join(things),
        actor=actor,
    )
