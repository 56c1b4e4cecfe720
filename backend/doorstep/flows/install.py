"""Installations: visits booked into free time, before or after the delivery (1014)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid
from doorstep.flows import phones
from doorstep.flows.came_back import PIECES_BACK
from doorstep.journey import Evidence
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import (
    GoodsMustStand,
    NoFreeSlot,
    NothingToInstall,
    OutsideHours,
    SkillLacking,
    SlotTaken,
    VisitMissing,
    VisitTimeImpossible,
)
from doorstep.modules.fsm.schemas import VisitStarted
from doorstep.modules.fsm.service.technicians import Technician
from doorstep.modules.fsm.service.visits import Slot
from doorstep.modules.helpdesk import service as helpdesk

HORIZON = timedelta(days=14)
LEAD = timedelta(hours=2)
"""So near its beginning a technician may be under way to a visit."""

LONGEST_LOOK = timedelta(days=31)
FARTHEST = timedelta(days=366)
SLOTS_TRIED = 20
ROUNDS = 5
"""Somebody else may take all that was free so often; then there is too little time to give."""

INSTALLABLE = f"""
SELECT l.id, l.product_id, coalesce(p.names ->> o.language, p.name) AS name,
       l.quantity - {PIECES_BACK} AS quantity, p.serialised, p.install_skill, p.standing_hours,
       array(SELECT u.serial FROM unit u
              WHERE u.fulfilment_line_id = l.id AND u.state <> 'scrapped' ORDER BY u.serial)
         AS serials
  FROM fulfilment_line l
  JOIN product p ON p.id = l.product_id
  JOIN order_line ol ON ol.id = l.order_line_id
  JOIN customer_order o ON o.id = ol.order_id
 WHERE l.fulfilment_id = $1 AND p.needs_install AND l.quantity > {PIECES_BACK} ORDER BY ol.position
"""  # noqa: S608 - a constant of a file of ours

DELIVERED_AT = """
SELECT recorded_at FROM journey_event
 WHERE fulfilment_id = $1 AND kind = 'stage' AND stage = 1013 ORDER BY seq DESC LIMIT 1
"""

# The newest promise of a delivery; one without times takes it back.
PROMISED_UNTIL = """
SELECT until_at FROM delivery_window WHERE fulfilment_id = $1 ORDER BY n DESC LIMIT 1
"""

# A completed one too: its report may arrive before the proof of delivery does.
LAST_VISIT = """
SELECT id, lower(during) AS starts_at, state FROM visit
 WHERE fulfilment_id = $1 AND purpose = 'installation'
   AND state NOT IN ('cancelled', 'failed') ORDER BY booked_at DESC LIMIT 1
"""


class WindowNotUsable(Invalid):
    title = "Free time is looked up between two moments with their offset, at most 31 days apart."


class Booked(NamedTuple):
    """A visit as it now stands in the calendar."""

    visit_id: UUID
    technician_id: UUID
    starts_at: datetime
    ends_at: datetime


class Work(NamedTuple):
    """What is to be installed of a fulfilment, by whom, and how long it takes."""

    lines: tuple[rules.Line, ...]
    skills: frozenset[str]
    length: timedelta
    standing_hours: int
    zone: ZoneInfo


# --- Booking ------------------------------------------------------------------------------------


async def free_slots(
    fulfilment_id: UUID,
    *,
    since: datetime,
    until: datetime,
    actor: Actor,
    limit: int | None = fsm.MAX_SLOTS,
) -> list[Slot]:
    """List when which technician with the skills could come, earliest first; goods stand before.

    Raises: NotFound, NothingToInstall, WindowNotUsable.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if since.tzinfo is None or until.tzinfo is None:
        raise WindowNotUsable
    if not timedelta() < until - since <= LONGEST_LOOK or until > now() + FARTHEST:
        raise WindowNotUsable
    channel_id = await db.value("SELECT channel_id FROM fulfilment WHERE id = $1", fulfilment_id)
    work = await work_of(fulfilment_id, channel_id)
    start = max(since, await _not_before(fulfilment_id, work))
    technicians = await fsm.technicians_for(channel_id, work.skills)
    return await fsm.free_slots(
        technicians, work.zone, rules.Span(start, until), work.length, limit
    )


@db.transactional
async def book_visit(
    fulfilment_id: UUID,
    *,
    actor: Actor,
    technician_id: UUID | None = None,
    starts_at: datetime | None = None,
) -> Booked:
    """Book a visit, before or after the delivery; what is not given is chosen: soonest, first free.

    After the delivery the booking passes 1014 at once, before it the delivery does.

    Raises: NotFound, NothingToInstall, VisitAlreadyBooked, NoFreeSlot, and for a wish that cannot
    be met SlotTaken, SkillLacking, OutsideHours, VisitTimeImpossible, GoodsMustStand.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    fulfilment = await journey.lock(fulfilment_id)
    work = await work_of(fulfilment_id, fulfilment["channel_id"])
    technicians = await _skilled(fulfilment["channel_id"], work, technician_id)
    if starts_at is not None:
        wished = await _wished_slots(fulfilment_id, work, technicians, starts_at)
        booked = await _book_first(wished, fulfilment, work, actor)
        if booked is None:
            raise SlotTaken
        return booked
    # Others book at the same time: what they took is seen when the free slots are read again.
    for _ in range(ROUNDS):
        slots = await _next_slots(fulfilment_id, work, technicians)
        booked = await _book_first(slots, fulfilment, work, actor)
        if booked is not None:
            return booked
    raise NoFreeSlot


async def _book_first(
    slots: Sequence[Slot], fulfilment: dict[str, Any], work: Work, actor: Actor
) -> Booked | None:
    for slot in slots:
        visit_id = await fsm.book(
            order_id=fulfilment["order_id"],
            fulfilment_id=fulfilment["id"],
            technician_id=slot.technician_id,
            span=rules.Span(slot.start, slot.end),
            skills=work.skills,
            booked_by=actor.person_id,
        )
        if visit_id is not None:
            await journey.state_fact(
                "visit_booked", fulfilment["id"], actor=actor, data={"visit_id": str(visit_id)}
            )
            await phones.tell_visit("visit_booked", visit_id, slot.technician_id)
            await helpdesk.close_problems(
                "visit_needed", str(fulfilment["id"]), "A visit is booked.", actor
            )
            return Booked(visit_id, slot.technician_id, slot.start, slot.end)
    return None


async def work_of(fulfilment_id: UUID, channel_id: UUID) -> Work:
    """Read what is to be installed of a fulfilment.

    Raises: NothingToInstall.
    """
    rows = await db.rows(INSTALLABLE, fulfilment_id)
    if not rows:
        raise NothingToInstall
    checklists = await fsm.current_checklists([row["product_id"] for row in rows])
    minutes = sum(
        row["quantity"] * checklists[row["product_id"]][1].minutes
        if row["product_id"] in checklists
        else rules.DEFAULT_MINUTES
        for row in rows
    )
    zone = await db.value("SELECT zone FROM channel WHERE id = $1", channel_id)
    return Work(
        tuple(
            rules.Line(
                row["id"],
                row["product_id"],
                row["name"],
                row["quantity"],
                row["serialised"],
                tuple(row["serials"]),
                row["product_id"] in checklists,
            )
            for row in rows
        ),
        frozenset(row["install_skill"] for row in rows),
        timedelta(minutes=min(minutes, rules.LONGEST_MINUTES)),
        max(row["standing_hours"] for row in rows),
        ZoneInfo(zone),
    )


async def _not_before(fulfilment_id: UUID, work: Work) -> datetime:
    delivered_at = await db.value(DELIVERED_AT, fulfilment_id)
    # Before they are here the goods are expected by the end of the promised window.
    expected_at = delivered_at or await db.value(PROMISED_UNTIL, fulfilment_id)
    return rules.earliest_start(expected_at, work.standing_hours, now())


async def _skilled(channel_id: UUID, work: Work, technician_id: UUID | None) -> list[Technician]:
    skilled = await fsm.technicians_for(channel_id, work.skills)
    if technician_id is None:
        return skilled
    wanted = [one for one in skilled if one.person_id == technician_id]
    if not wanted:
        raise SkillLacking(skills=sorted(work.skills))
    return wanted


async def _next_slots(
    fulfilment_id: UUID, work: Work, technicians: Sequence[Technician]
) -> list[Slot]:
    start = await _not_before(fulfilment_id, work)
    window = rules.Span(start, start + HORIZON)
    return await fsm.free_slots(technicians, work.zone, window, work.length, SLOTS_TRIED)


async def _wished_slots(
    fulfilment_id: UUID, work: Work, technicians: Sequence[Technician], starts_at: datetime
) -> list[Slot]:
    if not now() <= starts_at <= now() + FARTHEST:
        raise VisitTimeImpossible
    earliest = await _not_before(fulfilment_id, work)
    if starts_at < earliest:
        raise GoodsMustStand(earliest=earliest.isoformat())
    span = rules.Span(starts_at, starts_at + work.length)
    at_work = [one for one in technicians if rules.within_hours(one.hours, work.zone, span)]
    if not at_work:
        raise OutsideHours
    return [Slot(*span, one.person_id, one.name) for one in at_work]


async def slots_at(fulfilment_id: UUID, channel_id: UUID, starts_at: datetime) -> list[Slot]:
    """List who at work then could do the visit that begins at a moment, whether free or not.

    Raises: NothingToInstall, OutsideHours, GoodsMustStand, VisitTimeImpossible.
    """
    work = await work_of(fulfilment_id, channel_id)
    technicians = await fsm.technicians_for(channel_id, work.skills)
    return await _wished_slots(fulfilment_id, work, technicians, starts_at)


async def pass_schedule_if_booked(fact: journey.Fact) -> None:
    """Pass 1014 once the goods are delivered and a visit is booked that is late enough.

    A booked visit that would come before the goods have stood is moved to the next free time.
    """
    if not fact.fulfilment["needs_install"]:
        return
    visit = await db.row(LAST_VISIT, fact.fulfilment_id)
    delivered_at = await db.value(DELIVERED_AT, fact.fulfilment_id)
    passed = await db.value("SELECT passed FROM fulfilment WHERE id = $1", fact.fulfilment_id)
    if visit is None or delivered_at is None or 1014 in passed:
        return
    work = await work_of(fact.fulfilment_id, fact.fulfilment["channel_id"])
    late_enough = rules.booking_holds(visit["starts_at"], delivered_at, work.standing_hours)
    if not late_enough and visit["state"] == "booked" and not await _move(fact, visit, work):
        return
    by_person = fact.name == "visit_booked" and fact.actor.role in ("dispatcher", "support")
    await journey.advance(
        journey.derived_id(fact.fulfilment_id, f"1014:{visit['id']}", fact.attempt),
        fact.fulfilment_id,
        1014,
        actor=fact.actor
        if by_person
        else Actor.system("install.pass_schedule", request_id=fact.actor.request_id),
        evidence=[Evidence("visit", str(visit["id"]))],
    )


async def _move(fact: journey.Fact, visit: dict[str, Any], work: Work) -> bool:
    technicians = await fsm.technicians_for(fact.fulfilment["channel_id"], work.skills)
    for slot in await _next_slots(fact.fulfilment_id, work, technicians):
        if await fsm.move_visit(visit["id"], slot.technician_id, rules.Span(slot.start, slot.end)):
            return True
    await _ask_for_time(visit["id"], fact.order_id, fact.fulfilment_id)
    return False


async def _ask_for_time(visit_id: UUID, order_id: UUID, fulfilment_id: UUID) -> None:
    await helpdesk.open_problem(
        "visit_unplannable",
        "A booked visit comes too early and no later time is free",
        ref=str(visit_id),
        order_id=order_id,
        fulfilment_id=fulfilment_id,
    )


async def postpone(fulfilment_id: UUID, not_before: datetime, *, actor: Actor) -> None:
    """Move the visit that waits for goods which come later; the customer hears of the new time."""
    visit = await db.row(LAST_VISIT, fulfilment_id)
    if visit is None or visit["state"] != "booked" or visit["starts_at"] >= not_before:
        return
    fulfilment = await journey.lock(fulfilment_id)
    work = await work_of(fulfilment_id, fulfilment["channel_id"])
    technicians = await fsm.technicians_for(fulfilment["channel_id"], work.skills)
    window = rules.Span(not_before, not_before + HORIZON)
    slots = await fsm.free_slots(technicians, work.zone, window, work.length, SLOTS_TRIED)
    for slot in slots:
        if await fsm.move_visit(visit["id"], slot.technician_id, rules.Span(slot.start, slot.end)):
            return
    await _ask_for_time(visit["id"], fulfilment["order_id"], fulfilment_id)


async def follow_delivery(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Move the visit that would come before the promised delivery is over and the goods have stood."""
    visit = await db.row(LAST_VISIT, fulfilment_id)
    if visit is None or visit["state"] != "booked":
        return
    fulfilment = await journey.lock(fulfilment_id)
    work = await work_of(fulfilment_id, fulfilment["channel_id"])
    await postpone(fulfilment_id, await _not_before(fulfilment_id, work), actor=actor)


async def call_off(fulfilment_id: UUID) -> None:
    """Give the time of a parcel's visit back: its goods do not come."""
    await fsm.drop_visit(fulfilment_id, "cancelled")


async def book_next(fulfilment_id: UUID, *, actor: Actor) -> Booked | None:
    """Book the soonest free visit of a parcel, also from a reaction of its journey.

    Raises: NothingToInstall, NoFreeSlot.
    """
    fulfilment = await journey.lock(fulfilment_id)
    work = await work_of(fulfilment_id, fulfilment["channel_id"])
    technicians = await fsm.technicians_for(fulfilment["channel_id"], work.skills)
    while slots := await _next_slots(fulfilment_id, work, technicians):
        booked = await _book_first(slots, fulfilment, work, actor)
        if booked is not None:
            return booked
    raise NoFreeSlot


@db.transactional
async def cancel_visit(visit_id: UUID, *, actor: Actor) -> None:
    """Give a booked visit's time back.

    Raises: VisitMissing, also for a visit outside the actor's channels; VisitOver.
    """
    fulfilment_id = await db.value("SELECT fulfilment_id FROM visit WHERE id = $1", visit_id)
    if fulfilment_id is None:
        raise VisitMissing
    await scope(actor).require_fulfilment(fulfilment_id)
    await fsm.cancel_visit(visit_id)
    words = "The visit was cancelled."
    await helpdesk.close_problems("visit_unplannable", str(visit_id), words, actor)


async def start_visit(visit_id: UUID, started: VisitStarted, *, actor: Actor) -> bool:
    """Record that the technician has begun; False when that was known.

    Raises: VisitMissing (also for another person's visit), VisitOver.
    """
    if actor.person_id is None:
        raise VisitMissing
    return await fsm.start_visit(visit_id, actor.person_id, started.event_id)
