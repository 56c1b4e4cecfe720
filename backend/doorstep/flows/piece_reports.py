"""Boxes that are damaged or missing, as the floor and the road tell it: kept first, then acted upon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.channel import CHANNEL
from doorstep.core.jobs import job
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import PieceReport

# Knowing a label is not having the box: as with scans only people of the channel count.
PARCELS = """
SELECT f.order_id, f.id AS fulfilment_id, o.number, 1009 = ANY (f.passed) AS picked_up,
       array_agg(p.label_no ORDER BY p.n) AS labels
  FROM piece p
  JOIN shipment s ON s.id = p.shipment_id AND s.leg = 'outbound'
  JOIN fulfilment f ON f.id = s.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN person w ON w.id = $2
 WHERE p.label_no = ANY ($1) AND (w.channel_ids = '{}' OR f.channel_id = ANY (w.channel_ids))
 GROUP BY f.order_id, f.id, o.number ORDER BY f.order_id, f.id
"""

CHANNEL_OF_PERSON = f"SELECT {CHANNEL} FROM person p WHERE p.id = $1"  # noqa: S608 - a constant


@db.transactional
async def report(told: PieceReport, *, actor: Actor) -> bool:
    """Keep a report whatever it names, and have it acted upon; tell whether it is new.

    Raises: NotAllowed for somebody who is no person; EventIdReused.
    """
    new = await tms.keep_piece_report(actor, told)
    if new:
        await previews.name(told.photos, actor=actor)
        await outbox.add(
            "flows.act_on_piece_report",
            {"report_id": told.event_id, "photos": [[p.slot, p.sha256] for p in told.photos]},
            key=f"piece_report:{told.event_id}",
        )
    return new


@job("flows.act_on_piece_report", queue="default", timeout=60)
async def act_on_piece_report(payload: dict[str, Any]) -> None:
    """Tell each parcel of the report {report_id}, and a desk of the labels that are nobody's."""
    found = await tms.read_piece_report(UUID(payload["report_id"]))
    photos = [journey.Evidence("photo", slot, sha256) for slot, sha256 in payload["photos"]]
    parcels = await db.rows(PARCELS, found["labels"], found["person_id"])
    # Each parcel moves in a transaction of its own, since no use-case locks two orders; running it
    # again passes the same event ids.
    failures: list[Exception] = []
    for parcel in parcels:
        try:
            await _tell(found, parcel, photos)
        except Exception as failure:  # One parcel must not stop the others.
            failures.append(failure)
    await _ask_about_the_rest(found, {label for parcel in parcels for label in parcel["labels"]})
    if failures:
        raise ExceptionGroup(f"{len(failures)} parcels could not be told", failures)


@db.transactional
async def _tell(
    found: dict[str, Any], parcel: dict[str, Any], photos: Sequence[journey.Evidence]
) -> None:
    event_id = journey.derived_id(found["id"], str(parcel["fulfilment_id"]))
    kind = rules.detour_of_report(found["kind"], picked_up=parcel["picked_up"])
    if kind is None:
        await _ask_to_look(found, parcel)
        verdict = "asked"
    else:
        answer = await journey.open_detour(
            event_id,
            parcel["fulfilment_id"],
            kind,
            actor=_reporter(found),
            detail=_words(found, parcel["labels"]),
            evidence=photos,
            captured_at=found["captured_at"],
        )
        verdict = answer.verdict.value
    await tms.note_reported_parcel(found["id"], parcel, event_id=event_id, verdict=verdict)


def _reporter(found: dict[str, Any]) -> Actor:
    return Actor(
        role=found["role"],
        source=found["source"],
        person_id=found["person_id"],
        device_id=found["device_id"],
        request_id=found["request_id"],
    )


def _words(found: dict[str, Any], labels: Sequence[str]) -> str:
    said = f"{', '.join(labels)}: {found['kind']}."
    return f"{said} {found['words']}" if found["words"] else said


async def _ask_to_look(found: dict[str, Any], parcel: dict[str, Any]) -> None:
    await helpdesk.open_problem(
        "piece_unaccounted",
        f"{parcel['number']}: not found before its pickup",
        ref=f"{found['id']}:{parcel['fulfilment_id']}",
        detail=_words(found, parcel["labels"]),
        order_id=parcel["order_id"],
        fulfilment_id=parcel["fulfilment_id"],
    )


@db.transactional
async def _ask_about_the_rest(found: dict[str, Any], known: set[str]) -> None:
    rest = [label for label in found["labels"] if label not in known]
    if rest:
        await helpdesk.open_problem(
            "piece_unaccounted",
            f"Reported {found['kind']}, under a label that is on no box of the reporter's channels",
            ref=str(found["id"]),
            detail=_words(found, rest),
            channel_id=await db.value(CHANNEL_OF_PERSON, found["person_id"]),
        )
