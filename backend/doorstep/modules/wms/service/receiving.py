"""Use-cases of expected arrivals: what is to come in, where, and when nobody awaits it any more.

Other flows announce what will come back (`expect`) and take it back (`cancel`); `receipts` books
what the floor has scanned. Of several writers the arrival's row lets one through at a time; it is
locked after order and fulfilment, before stock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms.rules.receiving import RETURNS, ArrivalKind


class ArrivalMissing(NotFound):
    title = "No such arrival is expected here."


class ArrivalEnded(Refusal):
    """It is received in full, closed or cancelled."""

    title = "Nothing of this arrival is awaited any more."


class ArrivalUnderWay(Refusal):
    """Somebody is scanning these goods, or some of them are booked."""

    title = "The goods of this arrival are coming in already."


class ArrivalRefTaken(Refusal):
    """Another arrival of this kind has the same reference."""

    title = "Something else is expected under this reference."


class NothingExpected(Invalid):
    """An arrival without goods, or with more serials than pieces."""

    title = "An arrival needs goods, and at most one serial for each piece."


class ExpectedGoods(NamedTuple):
    """Pieces that are to come in; `serials` where it is known which ones."""

    product_id: UUID
    quantity: int
    fulfilment_line_id: UUID | None = None
    serials: tuple[str, ...] = ()


class Arrival(NamedTuple):
    """Goods that are to come in, as they stand now."""

    id: UUID
    number: str
    kind: ArrivalKind
    ref: str
    channel_id: UUID
    location_id: UUID | None
    receiving_at: UUID | None
    from_location_id: UUID | None
    owner_id: UUID | None
    order_id: UUID | None
    fulfilment_id: UUID | None
    state: str
    round: int

    @property
    def ended(self) -> bool:
        return self.state in ("received", "cancelled")


_ARRIVAL = ", ".join(f"a.{column}" for column in Arrival._fields)

# Goods for any location of the channel belong, while somebody scans them, to that location alone.
# A vendor's store takes of them only what is its vendor's.
AT_LOCATION = """
coalesce(a.receiving_at, a.location_id, $1) = $1
AND EXISTS (SELECT FROM location here
             WHERE here.id = $1 AND here.channel_id = a.channel_id
               AND (a.location_id = here.id OR here.kind <> 'vendor_store'
                    OR a.owner_id = here.vendor_id))
"""

INSERT = """
INSERT INTO expected_arrival (id, kind, ref, channel_id, location_id, from_location_id, owner_id,
                              order_id, fulfilment_id, expected_on, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING RETURNING id
"""

INSERT_LINE = """
INSERT INTO expected_line (id, arrival_id, position, fulfilment_line_id, product_id, quantity, serials)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

END = """
UPDATE expected_arrival
   SET state = $2, receiving_at = NULL, ended_at = $3, ended_by = $4, ending_words = $5
 WHERE id = $1
"""


@db.transactional
async def expect(
    kind: ArrivalKind,
    ref: str,
    *,
    channel_id: UUID,
    lines: Sequence[ExpectedGoods],
    location_id: UUID | None = None,
    from_location_id: UUID | None = None,
    owner_id: UUID | None = None,
    order_id: UUID | None = None,
    fulfilment_id: UUID | None = None,
    expected_on: date | None = None,
    actor: Actor | None = None,
    arrival_id: UUID | None = None,
) -> UUID:
    """Announce goods to the floor; once per (kind, ref), whose first announcement stays as it is.

    `location_id` None means any location of the channel. Returns the arrival's id: for a repeat
    that of the first announcement.

    Raises: NothingExpected; EventIdReused for an `arrival_id` that is another arrival's.
    """
    if not lines or any(
        line.quantity < 1 or len(set(line.serials)) > line.quantity for line in lines
    ):
        raise NothingExpected
    made: UUID | None = await db.value(
        INSERT,
        arrival_id or uuid7(),
        kind,
        ref,
        channel_id,
        location_id,
        from_location_id,
        owner_id,
        order_id,
        fulfilment_id,
        expected_on,
        actor.person_id if actor else None,
        now(),
    )
    if made is None:
        return await _known(kind, ref)
    await db.execute_many(
        INSERT_LINE,
        [
            (uuid7(), made, n, line.fulfilment_line_id, line.product_id, line.quantity,
             list(dict.fromkeys(line.serials)))
            for n, line in enumerate(lines, start=1)
        ],
    )  # fmt: skip
    return made


async def _known(kind: str, ref: str) -> UUID:
    known: UUID | None = await db.value(
        "SELECT id FROM expected_arrival WHERE kind = $1 AND ref = $2", kind, ref
    )
    if known is None:
        raise EventIdReused
    return known


@db.transactional
async def cancel(arrival_id: UUID, *, actor: Actor, words: str = "") -> None:
    """Await goods no more of which nothing has come in; cancelling twice changes nothing.

    Raises: ArrivalMissing; ArrivalUnderWay once something was scanned; ArrivalEnded when received.
    """
    arrival = await lock(arrival_id)
    if arrival.state == "cancelled":
        return
    if arrival.state == "received":
        raise ArrivalEnded(arrival.number)
    if arrival.state == "receiving" or await _has_come_in(arrival_id):
        raise ArrivalUnderWay(arrival.number)
    await db.execute(END, arrival_id, "cancelled", now(), actor.person_id, words)


async def cancel_of(kind: ArrivalKind, ref: str, *, actor: Actor, words: str = "") -> None:
    """Await no more of this announcement; what of it has come in stays booked.

    One that is being scanned at this moment goes on.
    """
    arrival_id = await db.value(
        "SELECT id FROM expected_arrival WHERE kind = $1 AND ref = $2 AND state = 'expected'",
        kind,
        ref,
    )
    if arrival_id is not None:
        await close_short(await lock(arrival_id), actor=actor, words=words)


async def _has_come_in(arrival_id: UUID) -> bool:
    return bool(
        await db.value(
            "SELECT EXISTS (SELECT FROM expected_line WHERE arrival_id = $1 AND received > 0)",
            arrival_id,
        )
    )


class Missing(NamedTuple):
    """Pieces of a line that have not come in."""

    line_id: UUID
    fulfilment_line_id: UUID | None
    sku: str
    quantity: int


async def missing(arrival_id: UUID) -> list[Missing]:
    """List what of an arrival has not come in, line by line."""
    found = await db.rows(
        "SELECT l.id AS line_id, l.fulfilment_line_id, p.sku, l.quantity - l.received AS quantity"
        " FROM expected_line l JOIN product p ON p.id = l.product_id"
        " WHERE l.arrival_id = $1 AND l.received < l.quantity ORDER BY l.position",
        arrival_id,
    )
    return [Missing(**row) for row in found]


async def close_short(arrival: Arrival, *, actor: Actor, words: str) -> None:
    """End an arrival of which pieces are missing, by a person's word; the caller holds its lock.

    What has come in stays booked. Where nothing has, it counts as cancelled.

    Raises: ArrivalUnderWay while a round of scans is open.
    """
    if arrival.state == "receiving":
        raise ArrivalUnderWay(arrival.number)
    state = "received" if await _has_come_in(arrival.id) else "cancelled"
    await db.execute(END, arrival.id, state, now(), actor.person_id, words)


async def find(arrival_id: UUID, location_id: UUID | None = None) -> Arrival:
    """Read an arrival without locking it; with `location_id` only if it may come in there.

    Raises: ArrivalMissing.
    """
    return await _read(arrival_id, location_id, "")


async def lock(arrival_id: UUID, location_id: UUID | None = None) -> Arrival:
    """Read an arrival and let nobody else change it; the order's lock, if any, is taken before.

    Raises: ArrivalMissing.
    """
    return await _read(arrival_id, location_id, "FOR NO KEY UPDATE")


async def _read(arrival_id: UUID, location_id: UUID | None, locking: str) -> Arrival:
    condition = "$1::uuid IS NULL" if location_id is None else AT_LOCATION
    row = await db.row(
        f"SELECT {_ARRIVAL} FROM expected_arrival a WHERE {condition} AND a.id = $2 {locking}",  # noqa: S608 - words of ours
        location_id,
        arrival_id,
    )
    if row is None:
        raise ArrivalMissing
    return Arrival(**row)


def is_return(arrival: Arrival) -> bool:
    """Tell whether these goods come back from a parcel."""
    return arrival.kind in RETURNS


async def keep_unannounced(
    event_id: UUID,
    location_id: UUID,
    code: str,
    words: str,
    *,
    photo_sha256: str | None,
    actor: Actor,
    captured_at: datetime,
) -> bool:
    """Keep what came in without being expected; nothing is booked. Tells whether it is new.

    Raises: EventIdReused.
    """
    added = await db.execute(
        "INSERT INTO unannounced_goods (id, location_id, code, words, photo_sha256, actor_id,"
        " captured_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT ON CONSTRAINT unannounced_goods_pkey DO NOTHING",
        event_id,
        location_id,
        code,
        words,
        photo_sha256,
        actor.person_id,
        captured_at,
        now(),
    )
    if not added:
        first = await db.one(
            "SELECT location_id, code FROM unannounced_goods WHERE id = $1", event_id
        )
        if (first["location_id"], first["code"]) != (location_id, code):
            raise EventIdReused
    return bool(added)
