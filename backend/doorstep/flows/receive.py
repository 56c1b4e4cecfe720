"""Receiving and the journey: goods that come in are booked, and a parcel hears of its return (C13).

`goods_received` is only stated here; what it sets off stands in reactions.py. Its data is
{arrival_id, kind, complete, lines: [{fulfilment_line_id, quantity, grade}],
missing: [{fulfilment_line_id, quantity}]}; complete means that nothing more of it is awaited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.wms.schemas import ReceiptScan
from doorstep.modules.wms.service import receipts, receiving
from doorstep.modules.wms.service.receiving import Arrival


def _place(actor: Actor) -> UUID:
    if actor.location_id is None:
        raise receiving.ArrivalMissing
    return actor.location_id


@db.transactional
async def check_scans(
    arrival_id: UUID, scans: Sequence[ReceiptScan], *, actor: Actor
) -> tuple[list[receipts.ScanAnswer], list[receipts.Progress]]:
    """Judge scans of goods that come in at the person's location, and tell how far each line is.

    Goods that are scanned after the end become a problem.

    Raises: ArrivalMissing, EventIdReused.
    """
    location_id = _place(actor)
    arrival = await receiving.lock(arrival_id, location_id)
    answers = await receipts.check_scans(arrival, location_id, scans, actor)
    if any(answer.verdict == "ended" for answer in answers):
        await _ask_about(arrival, ["Goods were scanned after nothing more was awaited."])
    return answers, await receipts.progress(arrival)


@db.transactional
async def finish(
    event_id: UUID, arrival_id: UUID, *, actor: Actor, captured_at: datetime
) -> receipts.Receipt:
    """Book what was scanned; differences become a problem, a return is told to its parcel.

    The same event id again gets its first answer.

    Raises: ArrivalMissing, ArrivalEnded, GoodsElsewhere, SerialKnown, TransferShort, EventIdReused.
    """
    location_id = _place(actor)
    arrival = await receiving.find(arrival_id, location_id)
    if arrival.fulfilment_id is not None:
        await journey.lock(arrival.fulfilment_id)
    arrival = await receiving.lock(arrival_id, location_id)
    known = await receipts.receipt_of(arrival, event_id, location_id)
    if known is not None:
        return known
    receipt = await receipts.book(
        arrival, event_id, location_id, actor=actor, captured_at=captured_at
    )
    if receipt.differences:
        await _ask_about(arrival, receipt.differences)
    elif receipt.complete:
        await helpdesk.close_problems(
            "receiving_difference", str(arrival.id), "The rest has come in.", actor
        )
    if receiving.is_return(arrival):
        lines = [
            {
                "fulfilment_line_id": str(one.fulfilment_line_id),
                "quantity": one.quantity,
                "grade": one.grade,
            }
            for one in receipt.booked
        ]
        await state_received(arrival, event_id, lines, actor=actor, complete=receipt.complete)
    return receipt


async def state_received(
    arrival: Arrival,
    event_id: UUID,
    lines: list[dict[str, Any]],
    *,
    actor: Actor,
    complete: bool,
) -> None:
    """Let a parcel hear what of its goods has come in, and whether more is awaited."""
    if arrival.fulfilment_id is None:
        raise db.RowMissing(f"return {arrival.number} names no parcel")
    still = await receiving.missing(arrival.id)
    await journey.state_fact(
        "goods_received",
        arrival.fulfilment_id,
        actor=actor,
        data={
            "arrival_id": str(arrival.id),
            "kind": arrival.kind,
            "complete": complete,
            "lines": lines,
            "missing": [
                {"fulfilment_line_id": str(one.fulfilment_line_id), "quantity": one.quantity}
                for one in still
            ],
        },
        event_id=journey.derived_id(arrival.fulfilment_id, f"goods_received:{event_id}"),
    )


async def _ask_about(arrival: Arrival, differences: Sequence[str]) -> None:
    await helpdesk.open_problem(
        "receiving_difference",
        f"{arrival.number} ({arrival.ref}) is not what was expected",
        detail="\n".join(differences),
        ref=str(arrival.id),
        order_id=arrival.order_id,
        fulfilment_id=arrival.fulfilment_id,
        owner_role="dispatcher",
        channel_id=arrival.channel_id,
    )


@db.transactional
async def keep_unannounced(
    event_id: UUID,
    code: str,
    words: str,
    *,
    photo_sha256: str | None,
    actor: Actor,
    captured_at: datetime,
) -> None:
    """Keep what came in without being expected, and ask a person; nothing is booked.

    Raises: ArrivalMissing for somebody without a location; EventIdReused.
    """
    location_id = _place(actor)
    place = await db.row("SELECT code, channel_id FROM location WHERE id = $1", location_id)
    if place is None:
        raise receiving.ArrivalMissing
    kept = await receiving.keep_unannounced(
        event_id,
        location_id,
        code,
        words,
        photo_sha256=photo_sha256,
        actor=actor,
        captured_at=captured_at,
    )
    if not kept:
        return
    await helpdesk.open_problem(
        "unannounced_goods",
        f"Goods that nobody expected are at {place['code']}",
        detail=f"Code {code}. {words}".strip(),
        ref=str(event_id),
        owner_role="dispatcher",
        channel_id=place["channel_id"],
    )
