"""By when what waits is expected: short goods, and goods that a vendor has ready later.

A desk, the vendor or an announced arrival gives the date; the customer hears of it once, and accepts
that of short goods or cancels them. When the day is over and the goods are not there, he is told so
once, and a person must ask for another one. Where a part has come, the rest keeps its date.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotFound, Refusal
from doorstep.core.jobs import recurring
from doorstep.flows import notify, source_again
from doorstep.flows.cancel import cancel_order
from doorstep.journey.refusals import DetourKnown
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.scm import service as scm
from doorstep.modules.wms.rules.backorders import Coming, ShortParcel, expected_dates

SHORT = "short_stock"

UNANSWERED_HOURS = 16
"""Business hours that the customer has to answer before a dispatcher should call him."""

TODAY = """
SELECT ($2::timestamptz AT TIME ZONE c.zone)::date
  FROM fulfilment f JOIN channel c ON c.id = f.channel_id WHERE f.id = $1
"""

ZONE = """
SELECT c.zone FROM fulfilment f JOIN channel c ON c.id = f.channel_id WHERE f.id = $1
"""

IS_SHORT = """
SELECT true FROM detour_case
 WHERE fulfilment_id = $1 AND kind = 'short_stock' AND closed_at IS NULL
"""

UNDATED = """
SELECT id FROM detour_case
 WHERE fulfilment_id = $1 AND kind = 'short_stock' AND closed_at IS NULL AND expected_on IS NULL
"""

VENDOR = """
SELECT v.name, p.number FROM fulfilment f
  JOIN purchase_order p ON p.id = f.po_id JOIN vendor v ON v.id = p.vendor_id
 WHERE f.id = $1
"""

# The day is over on the clock of the channel.
PASSED = """
SELECT d.fulfilment_id, d.kind, ($1::timestamptz AT TIME ZONE c.zone)::date AS today
  FROM detour_case d
  JOIN fulfilment f ON f.id = d.fulfilment_id
  JOIN channel c ON c.id = f.channel_id
 WHERE d.closed_at IS NULL AND d.expected_on < ($1::timestamptz AT TIME ZONE c.zone)::date
   AND f.state = 'open'
 ORDER BY d.expected_on LIMIT 200
"""

# Those that have a date take their share of what is coming too. One that nobody has the task of yet
# is not told yet either: first things first.
WAITING = """
SELECT f.id, f.channel_id, l.product_id, sum(l.quantity)::int AS pieces,
       d.expected_on IS NULL
         AND EXISTS (SELECT FROM problem p WHERE p.kind = d.kind AND p.ref = f.id::text
                       AND p.closed_at IS NULL) AS undated,
       ARRAY(SELECT DISTINCT x.owner_id FROM detour_case n JOIN fulfilment x ON x.id = n.fulfilment_id
              WHERE n.order_id = f.order_id AND n.kind IN ('vendor_declined', 'vendor_partial')
                AND x.owner_id IS NOT NULL) AS refused
  FROM detour_case d
  JOIN fulfilment f ON f.id = d.fulfilment_id
  JOIN fulfilment_line l ON l.fulfilment_id = f.id
 WHERE d.kind = 'short_stock' AND d.closed_at IS NULL AND f.state = 'open'
   AND f.location_id IS NULL
 GROUP BY f.id, d.id, l.product_id
 ORDER BY f.channel_id, f.created_at, f.id
"""

COMING = """
SELECT l.product_id, (l.quantity - l.received) AS pieces, a.expected_on, a.owner_id
  FROM expected_arrival a
  JOIN expected_line l ON l.arrival_id = a.id
  JOIN location y ON y.id = a.location_id AND y.active
       AND y.kind IN ('warehouse', 'store', 'vendor_store')
  JOIN channel c ON c.id = a.channel_id
 WHERE a.channel_id = $1 AND a.kind IN ('purchase', 'transfer') AND a.state IN ('expected', 'receiving')
   AND a.expected_on > ($2::timestamptz AT TIME ZONE c.zone)::date AND l.received < l.quantity
"""


class NotDated(Invalid):
    title = "Nobody says of this detour by when it is over."


class GoodsNotShort(Refusal):
    """They have come or are cancelled: what the customer has before him is out of date."""

    title = "These goods are not waiting for stock any more. Please look at the page again."


async def today_of(fulfilment_id: UUID) -> date:
    """Tell which day it is on the clock of a parcel's channel.

    Raises: NotFound for a parcel that there is not.
    """
    today: date | None = await db.value(TODAY, fulfilment_id, now())
    if today is None:
        raise NotFound
    return today


async def set_date(
    event_id: UUID, fulfilment_id: UUID, kind: str, expected_on: date, words: str, *, actor: Actor
) -> journey.Answer:
    """Say on a desk's word by when an open detour is over; the customer is told, once per date.

    Raises: NotFound outside the actor's sight; NotDated; DateNotAhead; DetourKnown; RoleNotAllowed.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if kind not in journey.DETOURS or not journey.DETOURS[kind].dated_by:
        raise NotDated(kind)
    today = await today_of(fulfilment_id)
    return await journey.set_date(
        event_id, fulfilment_id, kind, expected_on, today=today, actor=actor, words=words
    )


async def accept_date(
    event_id: UUID, fulfilment_id: UUID, expected_on: date, *, actor: Actor
) -> journey.Answer:
    """Take the customer's yes to the date of his short goods: they go on waiting.

    Raises: NotFound for a parcel of another order; DateNotOffered; GoodsNotShort.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    try:
        return await journey.accept_date(
            _own(fulfilment_id, "accept_date", event_id),
            fulfilment_id,
            SHORT,
            expected_on,
            today=await today_of(fulfilment_id),
            actor=actor,
        )
    except DetourKnown as known:
        raise GoodsNotShort from known


@db.transactional
async def cancel_short(event_id: UUID, fulfilment_id: UUID, *, actor: Actor) -> journey.Answer:
    """Cancel a parcel whose goods are short, on the customer's word, with all that follows.

    Raises: NotFound for a parcel of another order; GoodsNotShort when they have come meanwhile.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    parcel = await journey.lock(fulfilment_id)
    if parcel["ended_as"] != "cancelled" and not await db.value(IS_SHORT, fulfilment_id):
        raise GoodsNotShort
    [cancelled] = await cancel_order(
        parcel["order_id"],
        _own(fulfilment_id, "cancel_short", event_id),
        reason="customer",
        actor=actor,
        fulfilment_ids=[fulfilment_id],
    )
    return cancelled.answer


def _own(fulfilment_id: UUID, name: str, event_id: UUID) -> UUID:
    """Hash the customer's own id with the parcel's, so that it can meet no other event's."""
    return journey.derived_id(fulfilment_id, f"{name}:{event_id}")


# --- What follows of a date -----------------------------------------------------------------------


async def put_off_task(fact: journey.Fact) -> None:
    """Let the dispatcher's task wait with the goods: until the date, once the customer accepts it."""
    on: date = fact.data["expected_on"]
    accepted = fact.data["accepted"]
    title = (
        f"There is no stock for these goods: {'accepted until' if accepted else 'expected on'} {on}"
    )
    words = (
        f"The customer has accepted to wait until {on}."
        if accepted
        else f"Expected on {on}; the customer has not accepted that yet."
    )
    zone = ZoneInfo(await db.value(ZONE, fact.fulfilment_id))
    ref, detail = str(fact.fulfilment_id), f"{words} {fact.data['detail']}".strip()
    await helpdesk.open_problem(
        "short_stock",
        title,
        ref=ref,
        detail=detail,
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
    )
    await helpdesk.put_off_problem(
        "short_stock",
        ref,
        title,
        detail,
        until=datetime.combine(on + timedelta(days=1), time.min, zone),
        hours=None if accepted else UNANSWERED_HOURS,
    )


async def go_on_waiting(fact: journey.Fact) -> None:
    """Tell the customer which of his goods still wait now that the others came, and until when.

    He has heard of that date and is asked nothing; the task waits with it. That it is over, if it is,
    follows by the clock.
    """
    if fact.data["expected_on"] >= await today_of(fact.fulfilment_id):
        await notify.tell_rest(fact)
        await put_off_task(fact)


async def ask_for_another_date(fact: journey.Fact) -> None:
    """Ask the dispatcher anew: the day is over, and the goods are not there."""
    ref, on = str(fact.fulfilment_id), fact.data["expected_on"]
    await helpdesk.close_problems("short_stock", ref, f"They did not come by {on}.", fact.actor)
    await helpdesk.open_problem(
        "short_stock",
        f"These goods were expected on {on} and are not here",
        ref=ref,
        detail=f"Set another date, or cancel. {fact.data['detail']}".strip(),
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
    )


async def note_ready_date(fact: journey.Fact) -> None:
    """Keep the vendor's new date with his purchase order; nobody need call him before it."""
    if fact.fulfilment["po_id"] is not None:
        await scm.move_ready(fact.fulfilment["po_id"], fact.data["expected_on"])
    await _stop_asking(fact, f"The new date is {fact.data['expected_on']}.")


async def ask_vendor(fact: journey.Fact) -> None:
    """Have the dispatcher call a vendor whose ready date is over, and nothing is picked."""
    vendor = await db.row(VENDOR, fact.fulfilment_id)
    who = f"{vendor['name']} ({vendor['number']})" if vendor else "The vendor"
    await helpdesk.open_problem(
        "vendor_ready_later",
        f"{who} had the goods ready for {fact.data['expected_on']}, and they have not moved",
        ref=str(fact.fulfilment_id),
        detail=fact.data["detail"],
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
    )


async def stop_asking_vendor(fact: journey.Fact) -> None:
    """Close the dispatcher's task: the goods move, or will not any more."""
    await _stop_asking(fact, f"The detour is {fact.data['closed_as']}.")


async def _stop_asking(fact: journey.Fact, words: str) -> None:
    await helpdesk.close_problems("vendor_ready_later", str(fact.fulfilment_id), words, fact.actor)


# --- The clock, and what is announced -------------------------------------------------------------


@recurring("flows.watch_expected_dates", every=60)
async def watch_expected_dates(_payload: dict[str, Any]) -> None:
    """Have another date asked for where one is over; take that of an arrival that covers all.

    What has just come is given out first: nobody is to hear that it did not come.
    """
    system = Actor.system("flows.watch_expected_dates")
    if any(case["kind"] == SHORT for case in await db.rows(PASSED, now())):
        await source_again.find_places()
    for case in await db.rows(PASSED, now()):
        await journey.pass_date(
            case["fulfilment_id"], case["kind"], today=case["today"], actor=system
        )
    waiting = await db.rows(WAITING)
    for channel_id, rows in groupby(waiting, key=lambda row: row["channel_id"]):
        await _date_by_arrivals(channel_id, list(rows), actor=system)


async def _date_by_arrivals(channel_id: UUID, rows: list[dict[str, Any]], *, actor: Actor) -> None:
    if not any(row["undated"] for row in rows):
        return
    coming = [Coming(**row) for row in await db.rows(COMING, channel_id, now())]
    pieces: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    refused: dict[UUID, frozenset[UUID]] = {}
    for row in rows:
        pieces[row["id"]][row["product_id"]] = row["pieces"]
        refused[row["id"]] = frozenset(row["refused"])
    parcels = [ShortParcel(one, goods, refused[one]) for one, goods in pieces.items()]
    undated = {row["id"] for row in rows if row["undated"]}
    for fulfilment_id, expected_on in expected_dates(parcels, coming).items():
        if fulfilment_id in undated:
            await date_by_arrival(fulfilment_id, expected_on, actor=actor)


@db.transactional
async def date_by_arrival(fulfilment_id: UUID, expected_on: date, *, actor: Actor) -> None:
    """Give a short parcel the date of what is announced, unless it has a date or is not short."""
    await journey.lock(fulfilment_id)
    case_id = await db.value(UNDATED, fulfilment_id)
    if case_id is None:
        return
    await journey.set_date(
        journey.derived_id(case_id, f"arrival:{expected_on}"),
        fulfilment_id,
        SHORT,
        expected_on,
        today=await today_of(fulfilment_id),
        actor=actor,
        words="Goods that cover it are announced for this day.",
    )
