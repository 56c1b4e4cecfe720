"""What field workers say beside the flows of their jobs: a note, a problem, what was wrong before.

Nothing of it moves an order: it stands in the order's history, and a person is asked where one has
to do something about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.captures.envelope import payload_of
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.refusals import CaptureToAmendMissing, JobMissing
from doorstep.modules.helpdesk.schemas import Amendment, Note, ProblemReport
from doorstep.modules.helpdesk.service import Place
from doorstep.modules.wms.service.receiving import AT_LOCATION

# Jobs that are a person's ($1), open or over.
OF_PERSON: Mapping[str, str] = {
    "stop": """
SELECT s.order_id, s.fulfilment_id, NULL::uuid AS channel_id
  FROM delivery_stop s JOIN run_person p ON p.run_id = s.run_id
 WHERE p.person_id = $1 AND s.id = $2""",
    "run": """
SELECT NULL::uuid AS order_id, NULL::uuid AS fulfilment_id,
       (SELECT o.channel_id FROM delivery_stop s JOIN customer_order o ON o.id = s.order_id
         WHERE s.run_id = p.run_id LIMIT 1) AS channel_id
  FROM run_person p WHERE p.person_id = $1 AND p.run_id = $2""",
    "visit": """
SELECT v.order_id, v.fulfilment_id, NULL::uuid AS channel_id
  FROM visit v WHERE v.technician_id = $1 AND v.id = $2""",
    "manifest": """
SELECT NULL::uuid AS order_id, NULL::uuid AS fulfilment_id, l.channel_id
  FROM manifest m JOIN location l ON l.id = m.location_id
 WHERE m.courier_id = $1 AND m.id = $2""",
    "shift": """
SELECT NULL::uuid AS order_id, NULL::uuid AS fulfilment_id, s.channel_id
  FROM shift s JOIN shift_member m ON m.shift_id = s.id
 WHERE m.person_id = $1 AND s.id = $2""",
}

# Jobs of the location ($1) at which a person works.
OF_LOCATION: Mapping[str, str] = {
    "pick_list": """
SELECT f.order_id, f.id AS fulfilment_id, NULL::uuid AS channel_id
  FROM pick_list k JOIN fulfilment f ON f.id = k.fulfilment_id
 WHERE k.location_id = $1 AND $2 IN (k.id, k.fulfilment_id)""",
    "arrival": f"""
SELECT a.order_id, a.fulfilment_id, a.channel_id
  FROM expected_arrival a WHERE {AT_LOCATION} AND a.id = $2""",  # noqa: S608 - a constant
    "count": """
SELECT NULL::uuid AS order_id, NULL::uuid AS fulfilment_id, l.channel_id
  FROM cycle_count c JOIN location l ON l.id = c.location_id
 WHERE c.location_id = $1 AND c.id = $2""",
}

CHANNEL_OF_LOCATION = "SELECT channel_id FROM location WHERE id = $1"

OWN_CAPTURE = "SELECT type, body FROM capture WHERE event_id = $1 AND person_id = $2"

NAMED_AS: Mapping[str, str] = {
    "stop_id": "stop",
    "run_id": "run",
    "visit_id": "visit",
    "manifest_id": "manifest",
    "shift_id": "shift",
    "fulfilment_id": "pick_list",
    "arrival_id": "arrival",
    "count_id": "count",
}
"""Under which name a capture's payload says which job it was made on."""

MONEY_OR_GOODS = frozenset({"pod.record", "delivery.failed", "visit.complete", "shift.close"})
"""Captures that money or goods follow from: somebody decides about what was wrong with one."""


@db.transactional
async def add_note(note: Note, *, actor: Actor) -> None:
    """Keep a note in the history of a job's order; the same event id changes nothing.

    Raises: JobMissing (also for another person's); EventIdReused.
    """
    place, _ = await _own_job(note.job_kind, note.job_id, actor)
    if await helpdesk.is_kept("note", note, place, "", actor=actor):
        return
    await previews.name(note.photos, actor=actor)
    await helpdesk.keep_word("note", note, place, actor=actor)


@db.transactional
async def report_problem(report: ProblemReport, *, actor: Actor) -> None:
    """Ask a desk to help with something, on a job or on none; the same event id asks once.

    Raises: JobMissing (also for another person's); EventIdReused.
    """
    place, channel_id = Place(), None
    if report.job_kind is not None and report.job_id is not None:
        place, channel_id = await _own_job(report.job_kind, report.job_id, actor)
    if await helpdesk.is_kept("problem", report, place, report.about, actor=actor):
        return
    await previews.name(report.photos, actor=actor)
    problem_id = await helpdesk.open_problem(
        "field_safety" if report.about == "safety" else "field_problem",
        f"{actor.name} reports a problem: {report.about}",
        ref=str(report.event_id),
        detail=report.words,
        order_id=place.order_id,
        fulfilment_id=place.fulfilment_id,
        owner_role=ASKED.get(report.about),
        channel_id=channel_id or await _channel_of(actor),
    )
    await helpdesk.keep_word(
        "problem", report, place, actor=actor, about=report.about, problem_id=problem_id
    )


ASKED: Mapping[str, str] = {"customer": "support", "app": "admin"}
"""Whose a problem is that is about these; everything else is the dispatcher's."""


@db.transactional
async def amend(amendment: Amendment, *, actor: Actor) -> None:
    """Keep what was wrong with an earlier capture, which stays as it is (append-only).

    Where money or goods follow from that capture, somebody is asked what of it should be different.

    Raises: CaptureToAmendMissing (also for another person's); EventIdReused.
    """
    first = await db.row(OWN_CAPTURE, amendment.amends, actor.person_id)
    if first is None:
        raise CaptureToAmendMissing
    place, channel_id = await _place_of(first, amendment.amends, actor)
    if await helpdesk.is_kept("amendment", amendment, place, "", actor=actor):
        return
    await previews.name(amendment.photos, actor=actor)
    problem_id = None
    if first["type"] in MONEY_OR_GOODS:
        ref = str(amendment.amends)
        problem_id = await helpdesk.open_problem(
            "capture_amended",
            f"{actor.name} says that a {first['type']} was not right",
            ref=ref,
            order_id=place.order_id,
            fulfilment_id=place.fulfilment_id,
            channel_id=channel_id or await _channel_of(actor),
        )
        # A second word about the same capture joins the first while that waits.
        await helpdesk.add_to_problem(problem_id, amendment.words)
    await helpdesk.keep_word("amendment", amendment, place, actor=actor, problem_id=problem_id)


async def _own_job(kind: str, job_id: UUID, actor: Actor) -> tuple[Place, UUID | None]:
    found = await _find(kind, job_id, actor)
    if found is None:
        raise JobMissing
    place = Place(
        job_kind=kind,
        job_id=job_id,
        order_id=found["order_id"],
        fulfilment_id=found["fulfilment_id"],
    )
    return place, found["channel_id"]


async def _find(kind: str, job_id: UUID, actor: Actor) -> dict[str, Any] | None:
    if kind in OF_PERSON:
        return await db.row(OF_PERSON[kind], actor.person_id, job_id)
    return await db.row(OF_LOCATION[kind], actor.location_id, job_id)


async def _place_of(
    first: Mapping[str, Any], amends: UUID, actor: Actor
) -> tuple[Place, UUID | None]:
    """Tell where a capture belongs, if it was made on a job that is its person's own."""
    try:
        payload = payload_of(first["body"])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        payload = {}
    for name, kind in NAMED_AS.items():
        try:
            job_id = UUID(payload[name])
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if (found := await _find(kind, job_id, actor)) is not None:
            channel_id = found.pop("channel_id")
            return Place(job_kind=kind, job_id=job_id, amends=amends, **found), channel_id
    return Place(amends=amends), None


async def _channel_of(actor: Actor) -> UUID | None:
    """Tell whose desks hear of what was said on no order: those of where the person works."""
    if actor.location_id is not None:
        found: UUID | None = await db.value(CHANNEL_OF_LOCATION, actor.location_id)
        return found
    return actor.channel_ids[0] if actor.channel_ids else None
