"""A customer claims under his warranty: a ticket with words and photos, and a visit at a free time.

The journey stands still: what was done is done. The claim is open as long as its ticket is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.flows import install, repair_choice
from doorstep.flows.customer_reports import MOST_PHOTOS, TooManyPhotos
from doorstep.flows.install import LEAD
from doorstep.flows.repairs import LENGTH
from doorstep.flows.tickets import open_ticket
from doorstep.modules.crm import claims
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.service.technicians import Technician

# The warranties of a parcel that are its customer's ($2 is 0) or of the new owner of that transfer, each
# with what was claimed of it and is open still; named in the language $3, or in the order's own.
COVERED = """
SELECT w.id, w.number, w.serial, w.quantity, w.ends_on, p.install_skill,
       coalesce(p.names ->> coalesce($3, o.language), p.name) AS name, o.order_id, o.channel_id,
       o.zone, o.language,
       c.id IS NOT NULL AS claim_open, c.starts_at, c.visit_state, c.unvisited, t.name AS owner, t.phone
  FROM warranty w
  JOIN product p ON p.id = w.product_id
 CROSS JOIN LATERAL (
   SELECT x.id AS order_id, x.channel_id, x.language, h.zone
     FROM customer_order x JOIN channel h ON h.id = x.channel_id WHERE x.id = w.order_id) o
  LEFT JOIN LATERAL (
   SELECT k.id, lower(v.during) AS starts_at, v.state AS visit_state,
          NOT EXISTS (SELECT FROM visit x WHERE x.claim_id = k.id) AS unvisited
     FROM warranty_claim k JOIN ticket t ON t.id = k.id
     LEFT JOIN visit v ON v.claim_id = k.id AND v.state IN ('booked', 'started')
    WHERE k.warranty_id = w.id AND t.state IN ('open', 'waiting')
    ORDER BY k.claimed_at DESC LIMIT 1) c ON true
  LEFT JOIN warranty_transfer t ON t.order_id = w.order_id AND t.n = w.owner_n
 WHERE w.fulfilment_id = $1 AND w.state = 'active' AND w.owner_n = $2
 ORDER BY name, w.number
"""

KNOWN = "SELECT warranty_id FROM warranty_claim WHERE id = $1"


class Covered(NamedTuple):
    """A piece under warranty: `over` and `claim_open` say why it cannot be claimed now.

    `starts_at`: when the technician comes for what was claimed; `movable`: whether that may be moved;
    `bookable`: nobody has agreed on a time for him yet.
    """

    number: str
    name: str
    serial: str
    ends_on: date
    over: bool
    claim_open: bool
    starts_at: datetime | None
    movable: bool
    bookable: bool


async def covered(
    fulfilment_id: UUID, *, actor: Actor, owner_n: int = 0, language: str | None = None
) -> list[Covered]:
    """List what of a parcel is, or was, under warranty: its customer's, or a new owner's.

    The goods are named in the language, where they have a name in it; without one, in the order's.

    Raises: NotFound.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    return [
        Covered(
            row["number"],
            row["name"],
            row["serial"] or "",
            row["ends_on"],
            row["ends_on"] < _today(row),
            row["claim_open"],
            row["starts_at"],
            row["starts_at"] is not None
            and repair_choice.movable(row["visit_state"], row["starts_at"]),
            row["claim_open"] and row["unvisited"],
        )
        for row in await db.rows(COVERED, fulfilment_id, owner_n, language)
    ]


async def free_starts(fulfilment_id: UUID, *, actor: Actor, owner_n: int = 0) -> list[datetime]:
    """List the hours at which somebody who can repair what a parcel has brought is free.

    Raises: NotFound.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    rows = await db.rows(COVERED, fulfilment_id, owner_n, None)
    if not rows:
        return []
    zone, since = ZoneInfo(rows[0]["zone"]), now() + LEAD
    # One list for the page: who comes must know all kinds of goods of the parcel.
    slots = await fsm.free_slots(
        await _skilled(rows),
        zone,
        rules.Span(since, since + install.HORIZON),
        LENGTH,
        None,
    )
    starts = {slot.start for slot in slots}
    return sorted(start for start in starts if start.astimezone(zone).minute == 0)


@db.transactional
async def claim(
    fulfilment_id: UUID,
    event_id: UUID,
    number: str,
    *,
    words: str,
    photos: Sequence[str] = (),
    starts_at: datetime | None,
    actor: Actor,
    owner_n: int = 0,
    place: str = "",
) -> None:
    """Open a ticket about a piece under warranty and book the visit; the same event id does it once.

    `photos` are what `customer_reports.keep_photo` has returned; without `starts_at` support agrees
    on a time. A new owner (`owner_n`) says at which `place` the goods are now.

    Raises: NotFound, WarrantyMissing; WarrantyOver, ClaimStillOpen; TooManyPhotos; SlotTaken;
    EventIdReused.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if len(photos) > MOST_PHOTOS:
        raise TooManyPhotos
    # Two claims of one piece at once wait for one another here.
    await journey.lock(fulfilment_id)
    rows = await db.rows(COVERED, fulfilment_id, owner_n, None)
    piece = next((row for row in rows if row["number"] == number), None)
    known: UUID | None = await db.value(KNOWN, event_id)
    if known is not None:
        if piece is None or known != piece["id"]:
            raise EventIdReused(str(event_id))
        return
    claims.check(piece, _today(piece) if piece else now().date())
    if piece is None:
        raise claims.WarrantyMissing
    await open_ticket(
        "warranty",
        f"Warranty claim: {piece['name']}"[:180],
        _for_support(words, piece, place) if owner_n else words,
        actor=Actor.system("warranty_claims", request_id=actor.request_id),
        event_id=event_id,
        order_id=piece["order_id"],
        fulfilment_id=fulfilment_id,
        photos=photos,
    )
    await claims.keep(event_id, piece["id"], piece["order_id"], fulfilment_id, owner_n, place)
    if starts_at is not None:
        await repair_choice.choose(fulfilment_id, number, starts_at, actor=actor, owner_n=owner_n)


def _for_support(words: str, piece: dict[str, Any], place: str) -> str:
    """Add whom to call, and where: the order's customer has nothing to do with it any more."""
    return f"{words}\n\n{piece['owner']}, {piece['phone']}\n{place}"


async def _skilled(rows: Sequence[dict[str, Any]]) -> list[Technician]:
    skills = {row["install_skill"] for row in rows if row["install_skill"]}
    return await fsm.technicians_for(rows[0]["channel_id"], skills)


def _today(piece: dict[str, Any]) -> date:
    return now().astimezone(ZoneInfo(piece["zone"])).date()
