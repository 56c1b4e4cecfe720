"""Reports: kept whole the moment they arrive; approved by themselves or by a dispatcher (V5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.schemas import VisitCompleted


@db.transactional
async def keep_report(
    actor: Actor,
    visit: Mapping[str, Any],
    report: VisitCompleted,
    judged: rules.Report,
    *,
    verdict: str,
    reason: str,
) -> None:
    """Keep a report with its units and pictures; its event id is its key, so it is kept once."""
    sign_off, place = report.sign_off, report.place
    await db.execute(
        "INSERT INTO visit_report (id, order_id, fulfilment_id, visit_id, technician_id, device_id,"
        " demo_topics, signer_name, signature, signature_sha256, lat, lng, accuracy_m, missing,"
        " disagreements, verdict, verdict_reason, captured_at, recorded_at) VALUES"
        " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        report.event_id,
        visit["order_id"],
        visit["fulfilment_id"],
        visit["id"],
        actor.person_id,
        actor.device_id,
        report.demo_topics,
        sign_off.name.strip() if sign_off else "",
        sign_off and sign_off.strokes,
        rules.hash_strokes(sign_off.strokes) if sign_off else None,
        place and place.lat,
        place and place.lng,
        place and place.accuracy_m,
        judged.missing,
        judged.disagreements,
        verdict,
        reason,
        report.captured_at,
        now(),
    )
    await _keep_units(report)
    await _keep_photos(report)


async def _keep_units(report: VisitCompleted) -> None:
    # A line or checklist that does not exist is named in the disagreements and not kept here.
    await db.execute(
        "INSERT INTO visit_report_unit"
        " (report_id, n, fulfilment_line_id, checklist_id, serial, answers)"
        " SELECT $1, u.n, l.id, c.id, u.serial, u.answers"
        " FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::jsonb[])"
        "  WITH ORDINALITY AS u (line_id, checklist_id, serial, answers, n)"
        " JOIN fulfilment_line l ON l.id = u.line_id"
        " LEFT JOIN checklist c ON c.id = u.checklist_id",
        report.event_id,
        [unit.fulfilment_line_id for unit in report.units],
        [unit.checklist_id for unit in report.units],
        [unit.serial.strip() for unit in report.units],
        [unit.answers for unit in report.units],
    )


async def _keep_photos(report: VisitCompleted) -> None:
    await db.execute(
        "INSERT INTO visit_report_photo (report_id, slot, sha256, verified_at)"
        " SELECT $1, p.slot, p.sha256, (SELECT min(made.created_at) FROM picture made"
        "  WHERE made.sha256 = p.sha256)"
        " FROM unnest($2::text[], $3::text[]) AS p (slot, sha256) ON CONFLICT DO NOTHING",
        report.event_id,
        [photo.slot for photo in report.photos],
        [photo.sha256 for photo in report.photos],
    )


async def settle_report(report_id: UUID, verdict: str, reason: str) -> None:
    """Write down what the journey said to a report."""
    await db.execute(
        "UPDATE visit_report SET verdict = $2, verdict_reason = $3 WHERE id = $1",
        report_id,
        verdict,
        reason,
    )


async def mark_photo_verified(fulfilment_id: UUID, sha256: str) -> bool:
    """Mark the pictures of a fulfilment's reports with this content; tell if there were any."""
    return bool(
        await db.execute(
            "UPDATE visit_report_photo p SET verified_at = $3 FROM visit_report r"
            " WHERE r.id = p.report_id AND r.fulfilment_id = $1 AND p.sha256 = $2"
            " AND p.verified_at IS NULL",
            fulfilment_id,
            sha256,
            now(),
        )
    )


async def mark_bytes_verified(fulfilment_id: UUID) -> list[UUID]:
    """Mark the reports whose pictures all lie on the server; return those newly marked."""
    marked = await db.rows(
        "UPDATE visit_report SET bytes_verified_at = $2 WHERE fulfilment_id = $1"
        " AND bytes_verified_at IS NULL AND NOT EXISTS (SELECT FROM visit_report_photo p"
        "  WHERE p.report_id = visit_report.id AND p.verified_at IS NULL) RETURNING id",
        fulfilment_id,
        now(),
    )
    return [row["id"] for row in marked]


async def approve_report(
    report_id: UUID, *, approval: str, reason: str, approved_by: UUID | None = None
) -> bool:
    """Approve an installation, once; False when it was approved before."""
    return bool(
        await db.execute(
            "UPDATE visit_report SET approved_at = $2, approval = $3, approval_reason = $4,"
            " approved_by = $5 WHERE id = $1 AND approved_at IS NULL",
            report_id,
            now(),
            approval,
            reason,
            approved_by,
        )
    )
