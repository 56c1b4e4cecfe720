"""Which rows belong to whom: SQL conditions for every list and every single object.

The rule is the role's: desks see their channels, floors their location, vendors their goods, people
on the road and technicians what is assigned to them, a customer one order. What lies outside does
not exist for the actor: lists leave it out, single objects answer 404.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import NotFound

DESKS = frozenset({"admin", "finance", "support", "dispatcher", "sales"})
FLOORS = frozenset({"warehouse", "store", "vendor_store"})
ROADS = frozenset({"courier", "delivery"})

_ALIAS = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")

NOTHING = "FALSE"
EVERYTHING = "TRUE"

# {p} is the placeholder of the person. The stop of a run of one's own or of one's shift, or a
# manifest's piece, makes a parcel theirs.
_DRIVEN = """
  SELECT stop.fulfilment_id FROM delivery_stop stop
    JOIN run_person driver ON driver.run_id = stop.run_id
   WHERE driver.person_id = {p} AND stop.state <> 'removed'"""
_ON_THE_ROAD = f"""IN ({_DRIVEN}
  UNION ALL
  SELECT shipment.fulfilment_id FROM manifest
    JOIN manifest_piece ON manifest_piece.manifest_id = manifest.id
    JOIN piece ON piece.id = manifest_piece.piece_id
    JOIN shipment ON shipment.id = piece.shipment_id
   WHERE manifest.courier_id = {{p}})"""  # noqa: S608 - a constant of this file
_VISITED = f"""IN (
  SELECT visit.fulfilment_id FROM visit
   WHERE visit.technician_id = {{p}} AND visit.state <> 'cancelled'
  UNION ALL {_DRIVEN})"""  # noqa: S608 - as above

Clause = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one actor may see. Each method returns (condition, arguments) for a WHERE.

    `first` numbers the first placeholder that the condition may use, so that it can stand behind
    other arguments: `scope(actor).fulfilments("f", first=3)` → `("f.location_id = $3", [id])`.
    """

    actor: Actor

    def fulfilments(self, alias: str = "f", first: int = 1) -> Clause:
        """Limit rows of `fulfilment`."""
        column = _name(alias)
        role, place = self.actor.role, f"${first}"
        if role == "system":
            return EVERYTHING, []
        if role in DESKS:
            return self.channels(f"{alias}.channel_id", first)
        if role in FLOORS:
            return _equal(f"{column}.location_id", self.actor.location_id, place)
        if role == "vendor":
            return _equal(f"{column}.owner_id", self.actor.vendor_id, place)
        if role == "customer":
            return _equal(f"{column}.order_id", self.actor.order_id, place)
        if role in ROADS and self.actor.person_id:
            return f"{column}.id {_ON_THE_ROAD.format(p=place)}", [self.actor.person_id]
        if role == "technician" and self.actor.person_id:
            return f"{column}.id {_VISITED.format(p=place)}", [self.actor.person_id]
        return NOTHING, []

    def of_fulfilment(self, column: str, first: int = 1) -> Clause:
        """Limit rows that name a fulfilment: `of_fulfilment("s.fulfilment_id")`."""
        return self._through("id", column, first)

    def orders(self, alias: str = "o", first: int = 1) -> Clause:
        """Limit rows of `customer_order` to those with at least one fulfilment in sight."""
        if self.actor.role in DESKS:
            return self.channels(f"{alias}.channel_id", first)
        return self.of_order(f"{alias}.id", first)

    def of_order(self, column: str, first: int = 1) -> Clause:
        """Limit rows that name an order: `of_order("l.order_id")`."""
        return self._through("order_id", column, first)

    def _through(self, target: str, column: str, first: int) -> Clause:
        condition, arguments = self.fulfilments("scoped", first)
        if condition in (EVERYTHING, NOTHING):
            return condition, arguments
        inner = f"SELECT scoped.{target} FROM fulfilment scoped WHERE {condition}"  # noqa: S608 - names of ours, values bound
        return f"{_name(column)} IN ({inner})", arguments

    def channels(self, column: str, first: int = 1) -> Clause:
        """Limit rows that name a channel, for roles whose sight is their channels."""
        if self.actor.role == "system":
            return EVERYTHING, []
        if self.actor.role not in DESKS:
            return NOTHING, []
        if not self.actor.channel_ids:
            return EVERYTHING, []
        return f"{_name(column)} = ANY(${first}::uuid[])", [list(self.actor.channel_ids)]

    def locations(self, alias: str = "l", first: int = 1) -> Clause:
        """Limit rows of `location`: desks by channel, floors to their own place."""
        if self.actor.role in FLOORS:
            return _equal(f"{_name(alias)}.id", self.actor.location_id, f"${first}")
        return self.channels(f"{alias}.channel_id", first)

    def people(self, alias: str = "p", first: int = 1) -> Clause:
        """Limit rows of `person`: dispatchers to those who work in their channels.

        Admins manage the people of the whole installation.
        """
        if self.actor.role in ("system", "admin"):
            return EVERYTHING, []
        if self.actor.role not in DESKS:
            return NOTHING, []
        if not self.actor.channel_ids:
            return EVERYTHING, []
        name, mine = _name(alias), f"${first}::uuid[]"
        places = f"SELECT place.id FROM location place WHERE place.channel_id = ANY({mine})"  # noqa: S608 - as above
        condition = (
            f"CASE WHEN {name}.location_id IS NOT NULL THEN {name}.location_id IN ({places})"
            f" ELSE {name}.channel_ids = '{{}}' OR {name}.channel_ids && {mine} END"
        )
        return condition, [list(self.actor.channel_ids)]

    def stock(self, alias: str = "s", first: int = 1) -> Clause:
        """Limit rows with location_id and owner_id: floors by place, vendors by their goods."""
        if self.actor.role == "vendor":
            return _equal(f"{_name(alias)}.owner_id", self.actor.vendor_id, f"${first}")
        condition, arguments = self.locations("place", first)
        if condition in (EVERYTHING, NOTHING):
            return condition, arguments
        inner = f"SELECT place.id FROM location place WHERE {condition}"  # noqa: S608 - as above
        return f"{_name(alias)}.location_id IN ({inner})", arguments

    def purchase_orders(self, alias: str = "p", first: int = 1) -> Clause:
        """Limit rows of `purchase_order`: the vendor's own, the desks' by channel."""
        if self.actor.role == "vendor":
            return _equal(f"{_name(alias)}.vendor_id", self.actor.vendor_id, f"${first}")
        if self.actor.role in DESKS or self.actor.role == "system":
            return self.of_fulfilment(f"{alias}.fulfilment_id", first)
        return NOTHING, []

    async def require_fulfilment(self, fulfilment_id: UUID) -> None:
        """Make sure that the actor sees this fulfilment.

        Raises: NotFound, whether it does not exist or is somebody else's.
        """
        condition, arguments = self.fulfilments("f", first=2)
        await _require(
            f"SELECT 1 FROM fulfilment f WHERE f.id = $1 AND {condition}",  # noqa: S608 - as above
            fulfilment_id,
            *arguments,
        )

    async def require_order(self, order_id: UUID) -> None:
        """Make sure that the actor sees this order.

        Raises: NotFound, whether it does not exist or is somebody else's.
        """
        condition, arguments = self.orders("o", first=2)
        await _require(
            f"SELECT 1 FROM customer_order o WHERE o.id = $1 AND {condition}",  # noqa: S608 - as above
            order_id,
            *arguments,
        )

    async def require_channel(self, channel_id: UUID) -> None:
        """Make sure that the actor sees this channel.

        Raises: NotFound, whether it does not exist or is not one of the actor's.
        """
        condition, arguments = self.channels("c.id", first=2)
        await _require(
            f"SELECT 1 FROM channel c WHERE c.id = $1 AND {condition}",  # noqa: S608 - as above
            channel_id,
            *arguments,
        )

    async def channel_of_code(self, code: str) -> UUID:
        """Find a channel that the actor sees by its code.

        Raises: NotFound, whether it does not exist or is not one of the actor's.
        """
        condition, arguments = self.channels("c.id", first=2)
        found: UUID | None = await db.value(
            f"SELECT c.id FROM channel c WHERE c.code = $1 AND {condition}",  # noqa: S608 - as above
            code,
            *arguments,
        )
        if found is None:
            raise NotFound
        return found


def scope(actor: Actor) -> Scope:
    """Tell what the actor may see."""
    return Scope(actor)


async def _require(sql: str, *arguments: Any) -> None:
    if await db.value(sql, *arguments) is None:
        raise NotFound


def _equal(column: str, wanted: UUID | None, placeholder: str) -> Clause:
    # Without its own location, vendor or order such an actor sees nothing, never everything.
    return (f"{column} = {placeholder}", [wanted]) if wanted is not None else (NOTHING, [])


def _name(alias: str) -> str:
    if not _ALIAS.fullmatch(alias):
        raise ValueError(f"not the name of a table or column: {alias!r}")
    return alias
