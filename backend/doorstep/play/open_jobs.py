"""What the demo leaves on the phones: one job for each kind of field worker, ready to be done.

Whoever opens the field app after the demo has something in hand: orders that have come as far as the
warehouse, the courier, the door, and the technician's visit, and wait there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TextIO

import msgspec

from doorstep.play import door, installation, picking
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, StepFailed, Visitor, visit

Bring = Callable[[ParcelPlay], Awaitable[Visitor]]
"""Takes an order to a phone; returns whose it is."""

FIRST_NUMBER = 2
"""The demo's own order is the first."""


class Job(NamedTuple):
    """Whose phone, what is to be done there, how the order is paid, and how it comes there."""

    role: str
    what: str
    payment: str
    bring: Bring


class OpenJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that waits on somebody's phone; `tracking_url` is its customer's."""

    role: str
    person: str
    order: str
    what: str
    tracking_url: str


async def leave_jobs(base_url: str, sandbox_url: str, *, out: TextIO) -> list[OpenJob]:
    """Bring one order to each phone, all at once, print and tell what waits where.

    A job that could not be brought is printed as wrong, and the others wait all the same.
    """
    async with visit(base_url, sandbox_url) as company, asyncio.TaskGroup() as group:
        brought = [
            group.create_task(_try(company, base_url, FIRST_NUMBER + n, job, out))
            for n, job in enumerate(JOBS)
        ]
    jobs = [job for task in brought if (job := task.result())]
    for job in jobs:
        print(f"  {job.role:<11} {job.person:<15} {job.order}: {job.what}", file=out)
    print(f"What the customers are told, codes too, stands at {sandbox_url}/", file=out, flush=True)
    return jobs


async def _try(
    company: Company, base_url: str, number: int, job: Job, out: TextIO
) -> OpenJob | None:
    try:
        return await _leave(company, base_url, number, job)
    except StepFailed as failed:
        print(f"WRONG: no job for the {job.role}: {failed}", file=out, flush=True)
        return None


async def _leave(company: Company, base_url: str, number: int, job: Job) -> OpenJob:
    play = OrderPlay(company, Plan(number=number, payment=job.payment))
    await play.place()
    await play.pay()
    [parcel] = (await play.stage_reached(1003))["parcels"]
    walker = ParcelPlay(play, parcel)
    await walker.accept()
    await walker.reached(1004)
    worker = await job.bring(walker)
    token = await play.tracking_token()
    return OpenJob(
        role=job.role,
        person=worker.user.name,
        order=play.number,
        what=job.what,
        tracking_url=f"{base_url}/t/{token}",
    )


async def _to_the_floor(parcel: ParcelPlay) -> Visitor:
    """What is accepted stands on the warehouse's list."""
    return await parcel.company.of("warehouse", parcel.order.plan.channel)


async def _to_the_courier(parcel: ParcelPlay) -> Visitor:
    await picking.pick_check_pack(parcel)
    await parcel.book()
    courier, _ = await parcel.give_to_courier()
    return courier


async def _to_the_door(parcel: ParcelPlay) -> Visitor:
    await _to_the_hub(parcel)
    return await door.plan_run(parcel)


async def _to_the_visit(parcel: ParcelPlay) -> Visitor:
    await _to_the_hub(parcel)
    await door.deliver(parcel)
    await parcel.reached(1014)
    technician, _ = await installation.visit_of(parcel)
    return technician


async def _to_the_hub(parcel: ParcelPlay) -> None:
    await picking.pick_check_pack(parcel)
    await parcel.book()
    await parcel.carry()


CARD, CASH = "checkoutcom_card_payment", "cashondelivery"

JOBS = (
    Job("warehouse", "pick, check and pack it", CARD, _to_the_floor),
    Job("courier", "fetch it from the warehouse", CARD, _to_the_courier),
    Job("delivery", "hand it over and collect its price in cash", CASH, _to_the_door),
    Job("technician", "install it and show how it works", CARD, _to_the_visit),
)
