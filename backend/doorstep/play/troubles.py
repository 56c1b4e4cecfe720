"""What goes wrong in a simulation: each trouble is met once, by the people it happens to.

A trouble comes before a step of a parcel, or after everything. It lets the parcel go on, has done
the step itself, or ends the parcel; what is owed then travels in another parcel of the order.

Some wait for days, which pass at once (play/calendar.py); what only they bring stands in waiting.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from doorstep.play import door, installation, waiting
from doorstep.play.calendar import DAYS_LATER
from doorstep.play.captures import today
from doorstep.play.visitors import new_event, until

if TYPE_CHECKING:
    from doorstep.play.order import OrderPlay, Plan
    from doorstep.play.parcel import ParcelPlay


class Outcome(Enum):
    """What a trouble leaves of the step before which it came."""

    GO_ON = "go_on"
    STEP_DONE = "step_done"
    ENDED = "ended"


GO_ON, STEP_DONE, ENDED = Outcome

Act = Callable[["ParcelPlay"], Awaitable[Outcome]]


class Trouble(NamedTuple):
    """A trouble: before which step it comes, what people do, and which plans it fits."""

    step: str
    act: Act
    fits: Callable[[Plan], bool] = lambda plan: True
    takes_time: bool = False


# --- Vendors --------------------------------------------------------------------------------------


async def vendor_declines(parcel: ParcelPlay) -> Outcome:
    """The vendor has none; our own buyers find the goods."""
    if not parcel.owned_by_vendor:
        return GO_ON
    vendor, po_id = await parcel.purchase_order()
    await vendor.post_quietly(
        f"/vendor/purchase-orders/{po_id}/decline",
        {"event_id": new_event(), "reason": "None left."},
    )
    await parcel.restock()
    return ENDED


async def vendor_is_silent(parcel: ParcelPlay) -> Outcome:
    """The vendor says nothing until his time is over; our own buyers find the goods."""
    if not parcel.owned_by_vendor:
        return GO_ON
    await parcel.purchase_order()
    await parcel.company.calendar.wait_until(DAYS_LATER)

    async def taken_away() -> bool | None:
        order = await parcel.order.order()
        return parcel.order.parcel_of(order, parcel.id)["ended_as"] == "replaced" or None

    await until(taken_away, f"the goods of {parcel.order.number} to be sourced elsewhere")
    await parcel.restock()
    return ENDED


async def vendor_takes_a_part(parcel: ParcelPlay) -> Outcome:
    """The vendor delivers one piece; the rest is found elsewhere."""
    if not parcel.owned_by_vendor:
        return GO_ON
    vendor, po_id = await parcel.purchase_order()
    read = await vendor.get(f"/vendor/purchase-orders/{po_id}")
    first = read["lines"][0]
    part = {"fulfilment_line_id": first["fulfilment_line_id"], "quantity": 1}
    rest = [(first["sku"], first["quantity"] - 1)]
    rest += [(line["sku"], line["quantity"]) for line in read["lines"][1:]]
    body = {"event_id": new_event(), "lines": [part]}
    await vendor.post(f"/vendor/purchase-orders/{po_id}/accept", body)
    await parcel.restock([(sku, quantity) for sku, quantity in rest if quantity])
    return STEP_DONE


async def vendor_is_late(parcel: ParcelPlay) -> Outcome:
    """The vendor accepts for another day."""
    if not parcel.owned_by_vendor:
        return GO_ON
    vendor, po_id = await parcel.purchase_order()
    ready_on = (today(parcel.order.plan.channel) + timedelta(days=2)).isoformat()
    body = {"event_id": new_event(), "ready_on": ready_on}
    await vendor.post(f"/vendor/purchase-orders/{po_id}/accept", body)
    return STEP_DONE


# --- Warehouse and dispatch -----------------------------------------------------------------------


async def wrong_code(parcel: ParcelPlay) -> Outcome:
    """The picker scans something that is not in the parcel; the right things follow."""
    parcel.wrong_code_first = True
    return GO_ON


async def picked_again(parcel: ParcelPlay) -> Outcome:
    """After the check a box falls: the dispatcher has the goods picked again."""
    parcel.pick_again = True
    return GO_ON


async def cancelled_early(parcel: ParcelPlay) -> Outcome:
    """The customer cancels before the goods have left."""
    await parcel.order.cancel(parcel.id, "customer")
    return ENDED


async def pickup_missed(parcel: ParcelPlay) -> Outcome:
    """Nobody comes for the parcel at first."""
    await parcel.report("pickup_missed")
    return GO_ON


# --- On the road ----------------------------------------------------------------------------------


async def delayed(parcel: ParcelPlay) -> Outcome:
    """The road is closed; the parcel arrives all the same."""
    await parcel.report("carrier_delayed")
    return GO_ON


async def lost(parcel: ParcelPlay) -> Outcome:
    """The parcel is nowhere: the same goods are sent again."""
    await parcel.report("carrier_lost")
    await parcel.report("lost")
    return ENDED


async def damaged(parcel: ParcelPlay) -> Outcome:
    """The box is crushed: it comes back, and the same goods are sent again."""
    await parcel.report("carrier_damaged")
    await parcel.report("replaced", reason="damaged")
    await parcel.take_in("vendor_return" if parcel.owned_by_vendor else "scrap")
    return ENDED


async def cancelled_late(parcel: ParcelPlay) -> Outcome:
    """The customer cancels while the goods are on the road."""
    await parcel.order.cancel(parcel.id, "customer")
    await parcel.take_in("sellable")
    return ENDED


# --- At the door ----------------------------------------------------------------------------------


async def nobody_home(parcel: ParcelPlay) -> Outcome:
    """One or two attempts fail before somebody opens."""
    for _ in range(parcel.order.dice.choice((1, 2))):
        await door.fail_at_door(
            parcel, parcel.order.dice.choice(("not_home", "unreachable", "no_access", "address"))
        )
    return GO_ON


async def nobody_ever_home(parcel: ParcelPlay) -> Outcome:
    """After the last attempt the goods come back."""
    for _ in range(3):
        await door.fail_at_door(parcel, "not_home")
    await parcel.take_in("sellable")
    return ENDED


async def refused(parcel: ParcelPlay) -> Outcome:
    """The customer does not want the goods any more."""
    await door.fail_at_door(parcel, "refused")
    await parcel.take_in("sellable")
    return ENDED


async def wrong_model(parcel: ParcelPlay) -> Outcome:
    """Another model is in the box: it is not handed over, the right one is sent."""
    await door.fail_at_door(parcel, parcel.order.dice.choice(("wrong_model", "broken_seal")))
    await parcel.take_in("open_box")
    return ENDED


async def takes_a_part(parcel: ParcelPlay) -> Outcome:
    """One piece was left behind, refused or damaged; the rest is handed over."""
    parcel.keep_back = parcel.order.dice.choice(("left_behind", "refused", "damaged"))
    return GO_ON


async def other_serial(parcel: ParcelPlay) -> Outcome:
    """Another unit of the same model is in the box; the vendor confirms that it is his."""
    parcel.odd_serial = f"ODD-{new_event()[-10:]}"
    return GO_ON


# --- After the delivery ---------------------------------------------------------------------------


async def visit_fails(parcel: ParcelPlay) -> Outcome:
    """The technician cannot finish; the next visit is booked at once."""
    await installation.fail_visit(
        parcel, parcel.order.dice.choice(("site_not_ready", "not_home", "demo_refused", "unsafe"))
    )
    return GO_ON


async def part_missing(parcel: ParcelPlay) -> Outcome:
    """A part is missing: it is sent, and the next visit finishes the work."""
    await installation.fail_visit(parcel, "part_needed")
    await parcel.settle("part_missing", "support")
    return GO_ON


async def dead_on_arrival(parcel: ParcelPlay) -> Outcome:
    """The unit does not work: it is fetched, another one is sent."""
    await installation.fail_visit(parcel, "unit_faulty")
    await parcel.report("replaced", reason="dead_on_arrival", role="support")
    await parcel.take_in("vendor_return")
    return ENDED


async def hidden_damage(parcel: ParcelPlay) -> Outcome:
    """The customer reports a dent and keeps the goods for a discount."""
    await parcel.report("hidden_damage", role="support")
    await parcel.settle("hidden_damage", "support")
    return GO_ON


async def disputed(parcel: ParcelPlay) -> Outcome:
    """Finance disputes a bill of the vendor and agrees with him."""
    await parcel.report("dispute", role="finance")
    await parcel.settle("dispute", "finance")
    return GO_ON


async def returned(parcel: ParcelPlay) -> Outcome:
    """Everything comes back within the return window."""
    await parcel.ask_return()
    await parcel.take_in(parcel.order.dice.choice(("sellable", "open_box", "scrap")))
    return ENDED


async def returned_in_part(parcel: ParcelPlay) -> Outcome:
    """One piece comes back within the return window, the customer keeps the rest."""
    await parcel.ask_return(first_piece=True)
    await parcel.take_in(parcel.order.dice.choice(("sellable", "open_box")))
    await parcel.settle("returned_part", "finance")
    return GO_ON


def _installed(plan: Plan) -> bool:
    return any(sku in ("WM-7KG", "TV-55", "AC-15T") for sku, _ in plan.lines)


def _several(plan: Plan) -> bool:
    return sum(quantity for _, quantity in plan.lines) > 1


TROUBLES: Mapping[str, Trouble] = {
    "vendor declines": Trouble("accept", vendor_declines),
    "vendor is silent": Trouble("accept", vendor_is_silent, takes_time=True),
    "vendor takes a part": Trouble("accept", vendor_takes_a_part, _several),
    "vendor is late": Trouble("accept", vendor_is_late),
    "wrong code": Trouble("pick_check_pack", wrong_code),
    "picked again": Trouble("pick_check_pack", picked_again),
    "cancelled early": Trouble("pick_check_pack", cancelled_early),
    "pickup missed": Trouble("carry", pickup_missed),
    "delayed": Trouble("deliver", delayed),
    "lost": Trouble("deliver", lost),
    "damaged": Trouble("deliver", damaged),
    "cancelled late": Trouble("deliver", cancelled_late),
    "nobody home": Trouble("deliver", nobody_home),
    "nobody ever home": Trouble("deliver", nobody_ever_home),
    "refused": Trouble("deliver", refused),
    "wrong model": Trouble("deliver", wrong_model),
    "part delivery": Trouble("deliver", takes_a_part, _several),
    "other serial": Trouble("deliver", other_serial),
    "visit fails": Trouble("install", visit_fails, _installed),
    "part missing": Trouble("install", part_missing, _installed),
    "dead on arrival": Trouble("install", dead_on_arrival, _installed),
    "hidden damage": Trouble("install", hidden_damage),
    "disputed": Trouble("finish", disputed),
    "returned": Trouble("finish", returned),
    "returned in part": Trouble("finish", returned_in_part, _several),
}
"""What may go wrong with a parcel; there are some of the whole order besides."""

WHEN_PAID_NOW = ("payment fails", "never paid")
WHEN_PAID_AT_THE_DOOR = ("not approved",)
WHEN_TIME_PASSES = ("date passes",)
WHEN_TIME_PASSES_UNPAID = ("pays too late", "hold runs out")

ENDS_UNPAID: Mapping[str, Callable[[OrderPlay], Awaitable[None]]] = {
    "never paid": lambda order: order.cancel(None, "unpaid"),
    "not approved": lambda order: order.reject(),
    "hold runs out": waiting.never_paid,
}


def choose(plan: Plan, dice: Any, *, time_passes: bool) -> str:
    """Choose what goes wrong with an order of this plan; what takes days only where they pass."""
    fitting = [
        name
        for name, trouble in TROUBLES.items()
        if trouble.fits(plan) and (time_passes or not trouble.takes_time)
    ]
    fitting += WHEN_PAID_AT_THE_DOOR if plan.cash else WHEN_PAID_NOW
    if time_passes:
        fitting += WHEN_TIME_PASSES if plan.cash else WHEN_TIME_PASSES + WHEN_TIME_PASSES_UNPAID
    chosen: str = dice.choice(fitting)
    return chosen


async def meet(order: OrderPlay, parcel: ParcelPlay, step: str) -> Outcome:
    """Let the order's trouble happen if it comes before this step, once."""
    trouble = TROUBLES.get(order.trouble)
    if trouble is None or trouble.step != step:
        return GO_ON
    order.trouble = ""
    return await trouble.act(parcel)
