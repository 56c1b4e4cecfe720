"""From the packed parcel to the courier: shipment and AWB (1008), papers, manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from doorstep import journey
from doorstep.core import db, inbox, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.jobs import job
from doorstep.flows import papers, phones
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms

log = structlog.get_logger(__name__)

DELIVERY = """
SELECT o.delivery_service AS service, c.zone, c.country
  FROM customer_order o JOIN channel c ON c.id = o.channel_id WHERE o.id = $1
"""

PACKAGES = 'SELECT id, n, "of", weight_g FROM package WHERE fulfilment_id = $1 ORDER BY n'

SCANNED_BEFORE = """
SELECT kind, array_agg(DISTINCT label_no) AS labels FROM scan
 WHERE label_no = ANY ($1) AND kind = ANY ($2) GROUP BY kind
"""

# {scope} comes from core.auth.scope: names of ours, values bound.
WAITING_PIECES = """
SELECT p.id AS piece_id, s.carrier_id, f.channel_id
  FROM shipment s
  JOIN piece p ON p.shipment_id = s.id
  JOIN fulfilment f ON f.id = s.fulfilment_id
 WHERE s.fulfilment_id = ANY ($1) AND f.location_id = $2 AND s.leg = 'outbound'
   AND f.state = 'open' AND s.attempt = (SELECT max(attempt) FROM shipment
                    WHERE fulfilment_id = f.id AND leg = 'outbound') AND {scope}
 ORDER BY p.id
"""


class NotACourier(Invalid):
    title = "Parcels are given to a courier or a delivery executive of this channel."


class OneCarrierPerManifest(Invalid):
    title = "All pieces of a manifest go with one carrier."


async def book_shipment(fact: journey.Fact) -> None:
    """After packing: give the parcel to a carrier; our own fleet's AWB passes 1008 at once.

    A carrier that gives its own AWB, or none at all, becomes a task for a dispatcher. What is
    collected at the counter is not shipped.
    """
    if fact.fulfilment["collection"]:
        return
    delivery = await db.one(DELIVERY, fact.order_id)
    carrier = await tms.choose_carrier(fact.fulfilment["channel_id"], delivery["service"])
    if carrier is None or carrier["kind"] != "own":
        await _ask_for_awb(fact, carrier)
        return
    shipment = await tms.create_shipment(
        fact.fulfilment,
        carrier_id=carrier["id"],
        service=delivery["service"],
        awb=await tms.next_awb(delivery["country"]),
        packages=await db.rows(PACKAGES, fact.fulfilment_id),
        window=rules.pickup_window(
            now(),
            carrier["pickup_from"],
            carrier["pickup_until"],
            ZoneInfo(delivery["zone"]),
            delivery["service"],
        ),
    )
    await _announce(shipment, fact.order_id)
    await journey.advance(
        journey.derived_id(fact.fulfilment_id, "1008", fact.attempt),
        fact.fulfilment_id,
        1008,
        actor=Actor.system("dispatch.book_shipment", request_id=fact.actor.request_id),
        evidence=[journey.Evidence("awb", shipment.awb)],
    )


async def _ask_for_awb(fact: journey.Fact, carrier: dict[str, Any] | None) -> None:
    name = carrier["name"] if carrier else "no carrier"
    await helpdesk.open_problem(
        "awb_needed",
        f"The parcel is packed and waits for the AWB of {name}",
        ref=f"{fact.fulfilment_id}:{fact.attempt}",
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
        owner_role="dispatcher",
    )


async def _announce(shipment: tms.ShipmentBooked, order_id: UUID) -> None:
    """Wake what waited for this shipment: carrier webhooks by AWB, scans by label."""
    if not shipment.first:
        return
    await inbox.key_appeared(f"awb:{shipment.awb}")
    for row in await db.rows(SCANNED_BEFORE, list(shipment.labels), list(rules.SCAN_STAGES)):
        await outbox.add("flows.evaluate_scans", row, order_id=order_id)


@db.transactional
async def record_awb(
    fulfilment_id: UUID, *, carrier_code: str, awb: str, actor: Actor
) -> journey.Answer:
    """Book a shipment under an AWB that a carrier gave from outside, and pass 1008.

    Raises: NotFound, CarrierUnknown, AwbTaken, and the engine's refusals.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    fulfilment = await journey.lock(fulfilment_id)
    carrier = await tms.carrier_by_code(carrier_code)
    delivery = await db.one(DELIVERY, fulfilment["order_id"])
    shipment = await tms.create_shipment(
        fulfilment,
        carrier_id=carrier["id"],
        service=delivery["service"],
        awb=awb,
        packages=await db.rows(PACKAGES, fulfilment_id),
    )
    answer = await journey.advance(
        journey.derived_id(fulfilment_id, "1008", fulfilment["attempt"]),
        fulfilment_id,
        1008,
        actor=actor,
        evidence=[journey.Evidence("awb", shipment.awb)],
    )
    await helpdesk.close_problems_of(fulfilment_id, ["awb_needed"], f"AWB {awb}.", actor)
    await _announce(shipment, fulfilment["order_id"])
    return answer


@db.transactional
async def give_to_courier(
    fulfilment_ids: Sequence[UUID], *, location_id: UUID, courier_id: UUID, actor: Actor
) -> dict[str, Any]:
    """Put the pieces of these parcels, lying at one location, on a manifest for a courier (P13).

    Returns (id, number, pieces).

    Raises: NotACourier, OneCarrierPerManifest, NothingToCollect, PieceAlreadyGiven, NotFound for
    a parcel that does not lie there or that the actor does not see.
    """
    condition, arguments = scope(actor).fulfilments("f", first=3)
    pieces = await db.rows(
        WAITING_PIECES.format(scope=condition), list(fulfilment_ids), location_id, *arguments
    )
    carriers = {piece["carrier_id"] for piece in pieces}
    if not carriers:
        raise NotFound("No shipment of these parcels waits at this location.")
    if len(carriers) > 1:
        raise OneCarrierPerManifest
    # A location belongs to one channel, and so do the parcels that lie there.
    await require_driver(courier_id, pieces[0]["channel_id"])
    manifest = await tms.create_manifest(
        actor,
        carrier_id=carriers.pop(),
        location_id=location_id,
        courier_id=courier_id,
        piece_ids=[piece["piece_id"] for piece in pieces],
    )
    await phones.tell_manifest(manifest["id"], courier_id)
    return manifest


async def require_driver(person_id: UUID, channel_id: UUID) -> None:
    """Make sure that a person carries parcels in this channel.

    Raises: NotACourier.
    """
    if not await db.value(
        "SELECT 1 FROM person WHERE id = $1 AND active AND role IN ('courier', 'delivery')"
        " AND (channel_ids = '{}' OR $2 = ANY (channel_ids))",
        person_id,
        channel_id,
    ):
        raise NotACourier


async def make_label_documents(fact: journey.Fact) -> None:
    """Have the parcel's papers printed: label, packing slip, return form, invoice (P6, P9, P11)."""
    await outbox.add(
        "flows.make_documents",
        {"fulfilment_id": str(fact.fulfilment_id)},
        order_id=fact.order_id,
        key=f"documents:{fact.fulfilment_id}:{fact.attempt}",
    )


@job("flows.make_documents", queue="default", timeout=60)
async def make_documents(payload: dict[str, Any]) -> None:
    """Print the papers of a parcel and attach them to its order; printing again replaces them."""
    await papers.print_all(UUID(payload["fulfilment_id"]))
