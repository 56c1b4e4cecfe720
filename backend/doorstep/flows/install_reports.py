"""Installations done: the technician's report (1015), and its approval, which V5 waits for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused
from doorstep.flows import earnings, part_delivery, warranty_visits
from doorstep.flows.install import work_of
from doorstep.journey import Evidence, Verdict
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import (
    ReportIncomplete,
    ReportMissing,
    VisitMissing,
    VisitOver,
)
from doorstep.modules.fsm.schemas import VisitCompleted
from doorstep.modules.helpdesk import service as helpdesk

AGREEING_REPORTS = """
SELECT id FROM visit_report
 WHERE fulfilment_id = $1 AND approved_at IS NULL AND bytes_verified_at IS NOT NULL
   AND missing = '{}' AND disagreements = '{}' AND verdict IN ('applied', 'duplicate', 'held')
   AND EXISTS (SELECT FROM visit v WHERE v.id = visit_id AND v.purpose = 'installation')
"""

SERIALISED_LINES = """
SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1 AND p.serialised
"""

REPORT_TO_APPROVE = """
SELECT r.id, r.fulfilment_id, r.verdict, r.missing, r.captured_at, r.technician_id, r.device_id,
       p.name
  FROM visit_report r JOIN person p ON p.id = r.technician_id
  JOIN visit v ON v.id = r.visit_id AND v.purpose = 'installation'
 WHERE r.visit_id = $1 AND r.approved_at IS NULL AND r.verdict <> 'rejected'
 ORDER BY r.recorded_at DESC LIMIT 1
"""


@db.transactional
async def complete_visit(visit_id: UUID, report: VisitCompleted, *, actor: Actor) -> journey.Answer:
    """Keep a report and pass 1015; it approves itself when everything agrees (V5).

    One of a warranty claim passes nothing, and settles the claim.

    Where evidence is missing, a person at a screen is refused, while a phone's report is kept for
    review. What does not agree passes 1015 and waits for a dispatcher. The same event id again
    gets its first answer.

    Raises: VisitMissing, VisitOver, ReportIncomplete, EventIdReused, and the engine's refusals for
    a person.
    """
    visit = await db.row(
        "SELECT id, order_id, fulfilment_id, claim_id, state FROM visit WHERE id = $1 AND technician_id = $2",
        visit_id,
        actor.person_id,
    )
    if visit is None:
        raise VisitMissing
    fulfilment = await journey.lock(visit["fulfilment_id"])
    known = await db.row(
        "SELECT visit_id, verdict, verdict_reason FROM visit_report WHERE id = $1", report.event_id
    )
    if known is not None:
        if known["visit_id"] != visit_id:
            raise EventIdReused(str(report.event_id))
        return _answer(known["verdict"], known["verdict_reason"], report.event_id, fulfilment)
    if visit["state"] == "cancelled" and actor.source == "person":
        raise VisitOver
    if visit["claim_id"] is not None:
        return await warranty_visits.complete(visit, fulfilment, report, actor=actor)
    judged = await _judge(fulfilment, report)
    if judged.missing and actor.source == "person":
        raise ReportIncomplete(missing=judged.missing)
    reason = f"The report lacks: {', '.join(judged.missing)}." if judged.missing else ""
    verdict = "review" if judged.missing else "applied"
    await fsm.keep_report(actor, visit, report, judged, verdict=verdict, reason=reason)
    await previews.name(report.photos, actor=actor)
    await _look_for_pictures(visit["order_id"], report)
    await _compare_serials(fulfilment, report, actor)
    answer = (
        _answer(verdict, reason, report.event_id, fulfilment)
        if judged.missing
        else await _pass_completed(report, visit, actor)
    )
    await fsm.settle_report(report.event_id, answer.verdict.value, answer.reason)
    if answer.verdict is not Verdict.REJECTED:
        await fsm.complete_visit(visit_id)
    await _approve_or_ask(visit, report.event_id, judged, actor)
    await earnings.settle(visit["fulfilment_id"])
    return answer


async def _judge(fulfilment: dict[str, Any], report: VisitCompleted) -> rules.Report:
    work = await work_of(fulfilment["id"], fulfilment["channel_id"])
    named = {unit.checklist_id for unit in report.units if unit.checklist_id}
    return rules.judge(report, work.lines, await fsm.checklists_by_id(named))


async def _compare_serials(
    fulfilment: dict[str, Any], report: VisitCompleted, actor: Actor
) -> None:
    """Another serial than was picked stands there: V4 to V6 wait for the vendor's word, as at the door."""
    lines = {row["id"] for row in await db.rows(SERIALISED_LINES, fulfilment["id"])}
    reported = [
        unit.serial.strip()
        for unit in report.units
        if unit.serial.strip() and unit.fulfilment_line_id in lines
    ]
    words = await part_delivery.differing_serials(fulfilment["id"], reported)
    if words and fulfilment["state"] == "open":
        await journey.open_detour(
            journey.derived_id(fulfilment["id"], f"serial_differs:{report.event_id}"),
            fulfilment["id"],
            "serial_differs",
            actor=Actor.system("install.compare_serials", request_id=actor.request_id),
            detail=words,
            captured_at=report.captured_at,
        )


async def _pass_completed(
    report: VisitCompleted, visit: dict[str, Any], actor: Actor
) -> journey.Answer:
    report_id = str(report.event_id)
    evidence = [Evidence("report", report_id)]
    evidence += [Evidence("photo", photo.slot, photo.sha256) for photo in report.photos]
    evidence += [Evidence("serial", unit.serial.strip()) for unit in report.units if unit.serial]
    if report.sign_off is not None:
        signed = rules.hash_strokes(report.sign_off.strokes)
        evidence.append(Evidence("sign_off", report_id, signed))
    return await journey.advance(
        report.event_id,
        visit["fulfilment_id"],
        1015,
        actor=actor,
        evidence=evidence,
        captured_at=report.captured_at,
    )


def _answer(
    verdict: str, reason: str, event_id: UUID, fulfilment: dict[str, Any]
) -> journey.Answer:
    return journey.Answer(Verdict(verdict), reason, event_id, 1015, fulfilment["progress"])


async def _look_for_pictures(order_id: UUID, report: VisitCompleted) -> None:
    # As with a proof of delivery: whoever commits last, report or picture, finds the other.
    await outbox.add_many(
        [
            outbox.Addition(
                "flows.blob_verified",
                {"sha256": photo.sha256},
                order_id,
                f"blob_verified:{photo.sha256}:{report.event_id}",
            )
            for photo in report.photos
        ]
    )


# --- Approval -----------------------------------------------------------------------------------


async def photo_verified(fulfilment_id: UUID, sha256: str) -> None:
    """Mark a picture of a fulfilment's reports as verified; the last one may approve its report."""
    if await fsm.mark_photo_verified(fulfilment_id, sha256):
        await _approve_agreeing(fulfilment_id, Actor.system("install.photo_verified"))


async def _approve_or_ask(
    visit: dict[str, Any], report_id: UUID, judged: rules.Report, actor: Actor
) -> None:
    if not judged.missing and not judged.disagreements:
        system = Actor.system("install.complete_visit", request_id=actor.request_id)
        await _approve_agreeing(visit["fulfilment_id"], system)
        return
    await helpdesk.open_problem(
        "installation_approval",
        "An installation waits for approval",
        ref=str(report_id),
        detail="\n".join([*judged.missing, *judged.disagreements]),
        order_id=visit["order_id"],
        fulfilment_id=visit["fulfilment_id"],
        owner_role="dispatcher",
    )


async def _approve_agreeing(fulfilment_id: UUID, actor: Actor) -> None:
    await fsm.mark_bytes_verified(fulfilment_id)
    for report in await db.rows(AGREEING_REPORTS, fulfilment_id):
        await fsm.approve_report(
            report["id"],
            approval="automatic",
            reason="Checklist, serial, pictures and sign-off agree.",
        )
        await _state_approved(fulfilment_id, report["id"], actor)


async def _state_approved(fulfilment_id: UUID, report_id: UUID, actor: Actor) -> None:
    await journey.state_fact(
        "install_approved",
        fulfilment_id,
        actor=actor,
        data={"report_id": str(report_id)},
        event_id=journey.derived_id(fulfilment_id, f"install_approved:{report_id}"),
    )


@db.transactional
async def approve_visit(visit_id: UUID, reason: str, *, actor: Actor) -> UUID:
    """Approve a visit's latest report on a dispatcher's word; return the report's id.

    A report that was kept for review because something is missing passes 1015 with it.

    Raises: ReportMissing, also outside the actor's channels or when approved before.
    """
    report = await db.row(REPORT_TO_APPROVE, visit_id)
    if report is None:
        raise ReportMissing
    fulfilment_id: UUID = report["fulfilment_id"]
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    if not await fsm.approve_report(
        report["id"], approval="dispatcher", reason=reason, approved_by=actor.person_id
    ):
        raise ReportMissing
    if report["verdict"] == "review" and report["missing"]:
        answer = await journey.advance(
            report["id"],
            fulfilment_id,
            1015,
            actor=Actor(
                role="technician",
                source="phone",
                person_id=report["technician_id"],
                name=report["name"],
                device_id=report["device_id"],
                request_id=actor.request_id,
            ),
            evidence=[Evidence("report", str(report["id"]))],
            captured_at=report["captured_at"],
        )
        await fsm.settle_report(report["id"], answer.verdict.value, answer.reason)
    await _state_approved(fulfilment_id, report["id"], actor)
    await helpdesk.close_problems("installation_approval", str(report["id"]), reason, actor)
    await earnings.settle(fulfilment_id)
    approved: UUID = report["id"]
    return approved
