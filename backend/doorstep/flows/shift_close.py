"""The end of a shift: every piece delivered, returned by scan or explained, its cash counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.jobs import job
from doorstep.flows import earnings, fleet_sql, hands, settle_sql
from doorstep.journey.timeline import format_amount
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import fleet_rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import ShiftNotEmpty
from doorstep.modules.tms.schemas import Explanation
from doorstep.modules.wms.service import stock

CASH_LOOKS_BACK = timedelta(days=31)
"""Cash that has been out for longer is asked for by finance, not by the phone."""

SAID = {
    "left_at_customer": "It is at the customer's",
    "lost": "It is lost",
    "damaged": "It is damaged",
    "at_hub": "It is at the hub",
    "other": "Something else happened to it",
}


class Cash(NamedTuple):
    """Money that a crew took and nobody has counted."""

    currency: str
    amount_minor: int


class Parcel(NamedTuple):
    """A parcel on the van: its goods there, and its boxes; `left` are those not accounted for."""

    fulfilment_id: UUID
    order_id: UUID
    number: str
    goods: list[dict[str, Any]]
    labels: list[str]
    left: list[str] | None

    @property
    def accounted(self) -> bool:
        return self.left == []


class Balance(NamedTuple):
    """What is in a crew's hands; `words` say it as its phone shows it."""

    parcels: list[Parcel]
    cash: list[Cash]
    words: str

    @property
    def empty(self) -> bool:
        return not self.cash and all(parcel.accounted for parcel in self.parcels)

    def refusal(self) -> ShiftNotEmpty:
        """Refuse to close while something is left, and say what."""
        return ShiftNotEmpty(
            self.words,
            cash=[cash._asdict() for cash in self.cash],
            parcels=[
                {
                    "fulfilment_id": str(one.fulfilment_id),
                    "order_number": one.number,
                    "goods": one.goods,
                    "labels": one.labels if one.left is None else one.left,
                }
                for one in self.parcels
                if not one.accounted
            ],
        )


async def balance(shift: dict[str, Any], told: Sequence[Explanation] = ()) -> Balance:
    """Tell what a shift holds that its explanations do not account for.

    A van without an open shift is nobody's: before the opening and after the end it holds nothing.
    """
    explained = [fleet_rules.Explained(one.label_no, one.fulfilment_id) for one in told]
    parcels: list[Parcel] = []
    if shift["state"] in ("open", "closing"):
        for row in await db.rows(fleet_sql.ON_THE_VAN, shift["location_id"]):
            pieces = hands.seen(row["pieces"])
            left = fleet_rules.unexplained(row["fulfilment_id"], pieces, explained)
            parcels.append(
                Parcel(
                    row["fulfilment_id"],
                    row["order_id"],
                    row["number"],
                    row["goods"],
                    [piece.label_no for piece in pieces],
                    left,
                )
            )
    cash = await _cash_of(shift["id"])
    return Balance(parcels, cash, _words(parcels, cash))


def _words(parcels: Sequence[Parcel], cash: Sequence[Cash]) -> str:
    return fleet_rules.holding(
        [format_amount(one.amount_minor, one.currency) for one in cash],
        [(g["name"], g["quantity"]) for one in parcels if one.left is None for g in one.goods],
        [label for one in parcels for label in one.left or ()],
    )


async def _cash_of(shift_id: UUID) -> list[Cash]:
    sums: dict[str, int] = {}
    for tender in await db.rows(settle_sql.CASH_TO_COUNT, None, [], shift_id):
        currency = tender["currency"]
        sums[currency] = sums.get(currency, 0) + tender["amount_minor"]
    return [Cash(currency, amount) for currency, amount in sorted(sums.items())]


async def cash_in_hand(person_id: UUID) -> list[Cash]:
    """Tell the cash that a person took at doors and that no desk has counted, by currency."""
    since = now() - CASH_LOOKS_BACK
    return [Cash(**row) for row in await db.rows(settle_sql.CASH_IN_HAND, person_id, since)]


async def close_shift(
    shift_id: UUID, *, event_id: UUID, explanations: Sequence[Explanation], actor: Actor
) -> dict[str, Any]:
    """Close a shift once nothing is left in its crew's hands; what was explained leaves the van.

    Each explained parcel is taken off in a transaction of its own; if this process dies in
    between, the job of the same name does the rest. The same event id again changes nothing.

    Raises: ShiftMissing (also for somebody of another crew), ShiftNotOpen, ShiftOver,
    ShiftNotEmpty with the list in words; then the shift is open as before.
    """
    await _begin(shift_id, event_id, explanations, actor)
    await _end(shift_id)
    shift = await tms.read_shift(shift_id)
    if shift["state"] != "closed":
        raise (await balance(shift)).refusal()
    return shift


@db.transactional
async def _begin(
    shift_id: UUID, event_id: UUID, explanations: Sequence[Explanation], actor: Actor
) -> None:
    shift = await tms.lock_shift(shift_id, of=actor)
    if shift["close_event_id"] == event_id:
        return
    held = await balance(shift, explanations)
    if shift["state"] == "open" and not held.empty:
        raise held.refusal()
    await tms.begin_closing(actor, shift, event_id)
    for parcel in held.parcels:
        await _keep_explanations(shift, parcel, explanations, actor)
    await outbox.add("flows.end_shift", {"shift_id": shift_id})


async def _keep_explanations(
    shift: dict[str, Any], parcel: Parcel, explanations: Sequence[Explanation], actor: Actor
) -> None:
    """Write down what was said of a parcel, and have a dispatcher find out."""
    about = [
        one
        for one in explanations
        if one.fulfilment_id == parcel.fulfilment_id or one.label_no in parcel.labels
    ]
    for told in about:
        row = {"order_id": parcel.order_id, "fulfilment_id": parcel.fulfilment_id}
        await tms.keep_explanation(shift["id"], row, told, actor)
    if about:
        await helpdesk.open_problem(
            "piece_unaccounted",
            f"{parcel.number}: not brought back by {shift['crew']} ({shift['number']})",
            ref=f"{shift['id']}:{parcel.fulfilment_id}",
            detail="\n".join(_said(told) for told in about),
            order_id=parcel.order_id,
            fulfilment_id=parcel.fulfilment_id,
            owner_role="dispatcher",
        )


def _said(told: Explanation) -> str:
    what = told.label_no or "The whole parcel"
    picture = f" Picture {told.photo}." if told.photo else ""
    return f"{what}: {SAID[told.reason]}. {told.words}{picture}".strip()


async def _end(shift_id: UUID) -> None:
    """Take what was explained off the van, then close; reopen if something has come in between."""
    shift = await tms.read_shift(shift_id)
    if shift["state"] != "closing":
        return
    for parcel in (await balance(shift)).parcels:
        await _take_off_van(shift, parcel.fulfilment_id)
    await _close_or_reopen(shift_id)


@db.transactional
async def _take_off_van(shift: dict[str, Any], fulfilment_id: UUID) -> None:
    """Let an explained parcel stand with the fleet at large: on this van it is not."""
    fulfilment = await journey.lock(fulfilment_id)
    at_large = await stock.place_of_kind(fulfilment["channel_id"], "carrier")
    await hands.give(
        fulfilment,
        at_large,
        ref=f"explained:{shift['id']}:{uuid7()}",
        out_of={shift["location_id"]},
    )


@db.transactional
async def _close_or_reopen(shift_id: UUID) -> None:
    shift = await tms.lock_shift(shift_id)
    if shift["state"] != "closing":
        return
    held = await balance(shift)
    if held.parcels or held.cash:
        await tms.reopen(shift_id)
    else:
        await tms.end_shift(shift_id)
        await earnings.settle(shift_id)


@job("flows.end_shift", queue="default", timeout=60)
async def end_shift(payload: dict[str, Any]) -> None:
    """Finish what closing {shift_id} began."""
    await _end(UUID(payload["shift_id"]))


async def note_late_cash(stop_id: UUID, order_id: UUID) -> None:
    """Ask finance about money of a shift that was closed before its proof arrived.

    A phone may hand in a delivery after its crew has closed; its cash was in nobody's count.
    """
    shift_id = await db.value(
        "SELECT r.shift_id FROM delivery_stop t JOIN delivery_run r ON r.id = t.run_id"
        " WHERE t.id = $1",
        stop_id,
    )
    await note_late_cash_of(shift_id, order_id)


async def note_late_cash_of(shift_id: UUID | None, order_id: UUID) -> None:
    """Ask it for a shift, if there is one and it is closed."""
    late = await db.row("SELECT id, number FROM shift WHERE id = $1 AND state = 'closed'", shift_id)
    if late is not None and await _cash_of(late["id"]):
        await helpdesk.open_problem(
            "cash_after_shift",
            f"Cash came in after {late['number']} was closed",
            ref=str(late["id"]),
            order_id=order_id,
            owner_role="finance",
        )
