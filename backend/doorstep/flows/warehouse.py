"""The warehouse floor and the journey: pick list, 1005 to 1007, and goods changing hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.modules.wms.schemas import PackedPiece, QcScan
from doorstep.modules.wms.service import custody, floor, stock

STEPS: Mapping[str, floor.Step] = {"1005": "picking", "1006": "checked", "1007": "packed"}
"""What a passed stage makes of the pick list."""


class NotAtYourLocation(floor.PickListMissing):
    """The fulfilment is another location's: for this person it does not exist."""


async def make_pick_list(fact: journey.Fact) -> None:
    """Give the accepted goods to a picker of the location they lie at."""
    await floor.make_pick_list(fact.fulfilment_id, fact.fulfilment["location_id"])


async def hand_to_carrier(fact: journey.Fact) -> None:
    """At pickup the allocation is consumed and the goods stand with the carrier (1009)."""
    carrier = await stock.place_of_kind(fact.fulfilment["channel_id"], "carrier")
    await custody.ship(fact.fulfilment_id, fact.order_id, carrier)


async def hand_to_customer(fact: journey.Fact) -> None:
    """At delivery the goods stand with the customer (1013); over the counter they skip the carrier."""
    if fact.fulfilment["collection"]:
        await hand_to_carrier(fact)
    customer = await stock.place_of_kind(fact.fulfilment["channel_id"], "customer")
    await custody.pass_on(
        fact.fulfilment_id,
        fact.order_id,
        customer,
        reason="deliver",
        ref=f"deliver:{fact.fulfilment_id}:{fact.attempt}",
    )


async def note_step(fact: journey.Fact) -> None:
    """Let the pick list show what is passed: begun (1005), checked (1006), packed (1007).

    A step that came too early counts on the list only now that its turn has come.
    """
    await floor.note_step(fact.fulfilment_id, STEPS[fact.name], fact.actor.person_id)


async def pick_again(fact: journey.Fact) -> None:
    """Put what was picked back on the shelf and begin the pick list anew."""
    await floor.pick_again(fact.fulfilment_id)


async def _at_location(fulfilment_id: UUID, actor: Actor) -> dict[str, Any]:
    fulfilment = await journey.lock(fulfilment_id)
    if actor.location_id != fulfilment["location_id"]:
        raise NotAtYourLocation(str(fulfilment_id))
    return fulfilment


@db.transactional
async def start_picking(
    event_id: UUID, fulfilment_id: UUID, *, actor: Actor, captured_at: datetime
) -> journey.Answer:
    """Begin to pick: 1005, with the pick list as proof.

    Raises: NotAtYourLocation, PickListMissing, and the engine's refusals.
    """
    await _at_location(fulfilment_id, actor)
    return await journey.advance(
        event_id,
        fulfilment_id,
        1005,
        actor=actor,
        evidence=[journey.Evidence("pick", str(fulfilment_id))],
        captured_at=captured_at,
    )


@db.transactional
async def check_by_scan(
    event_id: UUID, fulfilment_id: UUID, scans: Sequence[QcScan], *, actor: Actor
) -> tuple[list[floor.Checked], journey.Answer | None]:
    """Judge scans one by one; the one that completes the parcel passes 1006 under `event_id`.

    Raises: NotAtYourLocation, SerialTaken, and the engine's refusals.
    """
    fulfilment = await _at_location(fulfilment_id, actor)
    checked = await floor.check_scans(
        fulfilment_id, fulfilment["location_id"], fulfilment["owner_id"], scans, actor
    )
    await _note_mismatch(fulfilment_id, checked, scans, actor)
    if not checked or checked[-1].missing:
        return checked, None
    answer = await journey.advance(
        event_id,
        fulfilment_id,
        1006,
        actor=actor,
        evidence=[journey.Evidence("qc", str(checked[-1].scan_uid))],
        captured_at=scans[-1].captured_at,
    )
    return checked, answer


async def _note_mismatch(
    fulfilment_id: UUID, checked: Sequence[floor.Checked], scans: Sequence[QcScan], actor: Actor
) -> None:
    """Block the parcel while a wrong code is the last word of it (SPEC J1006)."""
    wrong = next((one for one in reversed(checked) if not one.reading.ok), None)
    passed = await _passed(fulfilment_id)
    if wrong is None or not checked[-1].missing or 1005 not in passed or 1006 in passed:
        return
    captured_at = next(s.captured_at for s in scans if s.scan_uid == wrong.scan_uid)
    reporter = replace(actor, source="scan")
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"qc_mismatch:{wrong.scan_uid}"),
        fulfilment_id,
        "qc_mismatch",
        actor=reporter,
        detail=wrong.reading.reason,
        captured_at=captured_at,
    )


async def _passed(fulfilment_id: UUID) -> list[int]:
    found: list[int] = await db.value("SELECT passed FROM fulfilment WHERE id = $1", fulfilment_id)
    return found


@db.transactional
async def ask_repick(
    event_id: UUID, fulfilment_id: UUID, words: str, *, actor: Actor
) -> journey.Answer:
    """Say that the wrong goods were picked: they go back, and picking begins again (1005).

    Raises: NotAtYourLocation, and the engine's refusals for a person at a screen.
    """
    await _at_location(fulfilment_id, actor)
    return await journey.open_detour(event_id, fulfilment_id, "repick", actor=actor, detail=words)


@db.transactional
async def pack(
    event_id: UUID,
    fulfilment_id: UUID,
    pieces: Sequence[PackedPiece],
    *,
    actor: Actor,
    captured_at: datetime,
) -> journey.Answer:
    """Close the boxes: pieces n of m, weighed and labelled (1007).

    Raises: NotAtYourLocation, PiecesDiffer, and the engine's refusals.
    """
    await _at_location(fulfilment_id, actor)
    packed = await floor.pack(fulfilment_id, pieces, actor, captured_at)
    return await journey.advance(
        event_id,
        fulfilment_id,
        1007,
        actor=actor,
        evidence=[journey.Evidence("pieces", str(package)) for package in packed],
        captured_at=captured_at,
    )
