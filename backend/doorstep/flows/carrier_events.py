"""What a carrier says: the stage it proves, the detour it means, or the task it is for a person.

Webhooks come in any order, so a carrier's own clock tells which attempt a word is about (IQ4).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, inbox
from doorstep.core.actor import Actor
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import service as tms
from doorstep.ports import CarrierEvent, CarrierTrouble

TROUBLES: dict[CarrierTrouble, str] = {
    "carrier_cancelled": "The carrier has cancelled the shipment",
    "returned_to_origin": "The shipment has come back",
    "unknown_status": "The carrier sent a status that is not known here",
}
"""What a carrier says that is no detour of the journey."""

MEANS: dict[CarrierTrouble, str] = {"returned_to_origin": "return_to_origin"}
"""What a carrier says that is a detour by another name: the floor expects the goods by it."""

OUT_FOR_DELIVERY = 1012

# Of the same second as well: the failure is what came behind.
LATER_FAILURE = """
SELECT EXISTS (SELECT FROM detour_case
                WHERE fulfilment_id = $1 AND kind = 'delivery_failed'
                  AND opened_source = 'carrier' AND happened_at >= $2)
"""

OLDER_TROUBLE = """
SELECT kind FROM detour_case
 WHERE fulfilment_id = $1 AND closed_at IS NULL AND opened_source = 'carrier' AND happened_at < $2
 ORDER BY kind
"""

# By the carrier's own clock the goods have passed what settles the detour, or a later report of
# the same kind stands for it already. An attempt that failed had the goods at the door.
OVERTAKEN = """
SELECT EXISTS (SELECT FROM carrier_event
                WHERE shipment_id = $1 AND happened_at > $2 AND stage = ANY ($3::smallint[]))
    OR EXISTS (SELECT FROM detour_case
                WHERE fulfilment_id = $4 AND opened_source = 'carrier' AND happened_at > $2
                  AND (kind = $5 OR (kind = 'delivery_failed' AND 1012 = ANY ($3::smallint[]))))
"""


@db.transactional
async def apply_carrier_event(
    event: CarrierEvent, *, source: str, source_id: str
) -> journey.Answer | None:
    """Keep what a carrier said, and pass the stage it proves; trouble becomes a problem.

    The same (source, source_id) again changes nothing. None when it proves no stage.

    Raises: inbox.WaitsFor while no shipment has this AWB.
    """
    shipment = await db.row(
        "SELECT s.id, s.order_id, s.fulfilment_id, s.awb, c.code AS carrier FROM shipment s"
        " JOIN carrier c ON c.id = s.carrier_id WHERE s.awb = $1",
        event.awb,
    )
    if shipment is None:
        raise inbox.WaitsFor(f"awb:{event.awb}")
    await journey.lock(shipment["fulfilment_id"])
    kept = await tms.keep_carrier_event(
        shipment,
        source=source,
        source_id=source_id,
        stage=event.stage,
        status=str(event.raw_code),
        place=event.location,
        remark=event.remark,
        happened_at=event.happened_at,
    )
    if event.detour is not None:
        await _hear_trouble(event.detour, event, shipment, kept)
    if event.detour == "delivery_failed":
        # The attempt is over with it, so that it passes nothing; it was out for delivery till then.
        await _settle_older_trouble(OUT_FOR_DELIVERY, event, shipment, kept)
        return None
    if event.stage is None or event.return_leg:
        return None
    answer = None
    if not await _of_an_earlier_attempt(event, shipment):
        answer = await journey.advance(
            kept,
            shipment["fulfilment_id"],
            event.stage,
            actor=Actor.system(shipment["carrier"], source="carrier"),
            evidence=[journey.Evidence("carrier_event", str(kept))],
            captured_at=event.happened_at,
        )
    if answer is None or answer.verdict is journey.Verdict.DUPLICATE:
        await _settle_older_trouble(event.stage, event, shipment, kept)
    return answer


async def _of_an_earlier_attempt(event: CarrierEvent, shipment: dict[str, Any]) -> bool:
    """Tell whether a carrier's "out for delivery" is of an attempt that failed since.

    Webhooks come in any order; the carrier's own clock tells which attempt one is about.
    """
    return event.stage == OUT_FOR_DELIVERY and await db.value(
        LATER_FAILURE, shipment["fulfilment_id"], event.happened_at
    )


async def _settle_older_trouble(
    stage: int, event: CarrierEvent, shipment: dict[str, Any], kept: UUID
) -> None:
    """Settle older trouble that an event shows to be over although it passes no stage itself.

    Another scan has passed the stage, or the event is of an earlier attempt; heard in its turn it
    would have settled the same.
    """
    for case in await db.rows(OLDER_TROUBLE, shipment["fulfilment_id"], event.happened_at):
        row = journey.DETOURS[case["kind"]]
        if stage in row.settled_at and row.restarts is None:
            await journey.settle_detour(
                journey.derived_id(shipment["fulfilment_id"], f"carrier:{kept}:{row.kind}"),
                shipment["fulfilment_id"],
                row.kind,
                actor=Actor.system(shipment["carrier"], source="carrier"),
                evidence=[journey.Evidence("carrier_event", str(kept))],
            )


async def _hear_trouble(
    trouble: CarrierTrouble, event: CarrierEvent, shipment: dict[str, Any], kept: UUID
) -> None:
    """Open the detour that a carrier reports; what is none becomes a task."""
    words = " · ".join(filter(None, (event.reason, event.remark, event.location)))
    if trouble in TROUBLES:
        await _open_trouble(trouble, event, shipment, words)
    kind = MEANS.get(trouble, trouble)
    row = journey.DETOURS.get(kind)
    if row is None:
        return
    overtaken = await db.value(
        OVERTAKEN,
        shipment["id"],
        event.happened_at,
        sorted(row.settled_at),
        shipment["fulfilment_id"],
        kind if row.recurs else "",
    )
    await journey.open_detour(
        journey.derived_id(shipment["fulfilment_id"], f"carrier:{kept}"),
        shipment["fulfilment_id"],
        kind,
        actor=Actor.system(shipment["carrier"], source="carrier"),
        reason=(event.reason if event.reason in row.reasons else "other") if row.reasons else "",
        detail=words,
        evidence=[journey.Evidence("carrier_event", str(kept))],
        captured_at=event.happened_at,
        overtaken=overtaken,
    )


async def _open_trouble(
    trouble: CarrierTrouble, event: CarrierEvent, shipment: dict[str, Any], words: str
) -> None:
    await helpdesk.open_problem(
        trouble,
        f"{TROUBLES[trouble]} ({event.awb})",
        ref=event.awb,
        detail=words,
        order_id=shipment["order_id"],
        fulfilment_id=shipment["fulfilment_id"],
    )
