"""What only time brings to an order: money that comes too late or never, goods that do not come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from doorstep.core.clock import now
from doorstep.play import goods
from doorstep.play.calendar import AN_HOUR_LATER, DAYS_LATER
from doorstep.play.visitors import StepFailed, new_event, patiently, until

if TYPE_CHECKING:
    from doorstep.play.order import OrderPlay

PROMISE = timedelta(days=2)
"""Two days, since a channel's day may be further than that of UTC."""


async def hold_runs_out(order: OrderPlay) -> None:
    """Nobody pays, so the goods that were held are given back."""
    await order.company.calendar.wait_until(AN_HOUR_LATER)
    await _with_detour(order, "payment_expired")


async def never_paid(order: OrderPlay) -> None:
    """Nobody pays in the grace time either: the order ends as cancelled by itself."""
    await hold_runs_out(order)
    await order.company.calendar.wait_until(DAYS_LATER)

    async def ended() -> bool | None:
        return not await order.living() or None

    await until(ended, f"{order.number} to be cancelled")


async def date_passes(order: OrderPlay) -> None:
    """The goods are sold out; the customer waits for the date he is told, in vain, and then longer.

    Where others have left some of them, the order goes its ordinary way.
    """
    if not await _is_short(order):
        return
    [parcel] = await order.living()
    desk = await order.company.staff("dispatcher")
    expected_on = (now() + PROMISE).date().isoformat()
    body = {"event_id": new_event(), "expected_on": expected_on, "words": "It is ordered."}
    await desk.post(f"/console/fulfilments/{parcel['id']}/detours/short_stock/date", body)
    await _accept(order, {"event_id": new_event(), "expected_on": expected_on})
    await order.company.calendar.wait_until(DAYS_LATER)
    await _asked_again(order, expected_on)
    floor = await order.company.of("warehouse", order.plan.channel)
    place = (await floor.get("/api/me"))["location_id"]
    await goods.restock(order.company, order.plan.channel, place, list(order.plan.lines))


async def _accept(order: OrderPlay, yes: dict[str, Any]) -> None:
    token = await order.tracking_token()
    answer = await patiently(lambda: order.company.http.post(f"/track/{token}/date", json=yes))
    if not answer.is_success:
        raise StepFailed(f"date: {answer.status_code} {answer.text[:300]}")


async def _asked_again(order: OrderPlay, expected_on: str) -> None:
    """Wait until the dispatcher is asked for another date, or others have goods to spare."""
    desk = await order.company.staff("dispatcher")

    async def asked() -> bool | None:
        found = await desk.get("/problems", kind="short_stock", order_id=order.order_id)
        missed = f"These goods were expected on {expected_on} and are not here"
        if any(problem["title"] == missed for problem in found):
            return True
        return None if await _is_short(order) else True

    await until(asked, f"the question for another date of {order.number}")


async def _is_short(order: OrderPlay) -> bool:
    return any(_is_open(parcel, "short_stock") for parcel in await order.living())


async def _with_detour(order: OrderPlay, kind: str) -> None:
    async def all_met() -> bool | None:
        return all(_is_open(parcel, kind) for parcel in await order.living()) or None

    await until(all_met, f"{kind} of {order.number}")


def _is_open(parcel: dict[str, Any], kind: str) -> bool:
    return any(d["kind"] == kind and d["closed_at"] is None for d in parcel["detours"])
