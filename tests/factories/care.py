"""An order that travels with nobody's help, for tests that look at what comes after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from doorstep import journey, ports
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import care, notify
from doorstep.flows.place_order import place_order
from doorstep.journey import facts
from doorstep.journey.rules import Evidence
from doorstep.journey.stages import BY_CODE, STAGES
from tests.factories.world import SHOP, World, an_order, make_world

TELLING: Mapping[str, Sequence[journey.Reaction]] = {
    **{str(stage.code): [notify.tell_customer] for stage in STAGES if stage.milestone},
    "1015": [notify.tell_customer, care.register_warranty, care.ask_feedback],
}
"""The reactions of crm and messages alone."""


@contextmanager
def reacting(reactions: Mapping[str, Sequence[journey.Reaction]] = TELLING) -> Iterator[None]:
    """Bind the journey to a few reactions for the block, then to what was bound before."""
    before = facts._reactions
    journey.bind(reactions)
    try:
        yield
    finally:
        facts._reactions = before


@contextmanager
def outside(**adapters: Any) -> Iterator[None]:
    """Put these adapters behind their ports for the block, then those that were there before."""
    names = list(ports._bound.__slots__)
    before = {name: getattr(ports._bound, name) for name in names}
    ports.bind(**adapters)
    try:
        yield
    finally:
        for name in names:
            setattr(ports._bound, name, before[name])


@dataclass
class Travelling:
    """An order that was placed, with its customer's token."""

    world: World
    order_id: UUID
    number: str
    parcels: list[UUID]
    token: str


async def make_vendor() -> UUID:
    """Add a vendor of the UAE."""
    vendor_id = uuid7()
    await db.execute(
        "INSERT INTO vendor (id, code, name, country, zone, email, account_name, account_number)"
        " VALUES ($1, 'V1', 'Gulf Appliances', 'AE', 'Asia/Dubai', 'po@gulf.example',"
        " 'Gulf', 'AE0001')",
        vendor_id,
    )
    return vendor_id


async def place(
    *lines: tuple[str, int], order: ports.IncomingOrder | None = None, world: World | None = None
) -> Travelling:
    """Make a world, unless there is one, and place an order in it."""
    world = world or await make_world(vendor_id=await make_vendor())
    order = order or an_order(*lines)
    await place_order(order, actor=SHOP, may_be_short=False)
    row = await db.one(
        "SELECT id, number FROM customer_order WHERE external_id = $1", order.external_id
    )
    parcels = await db.rows(
        "SELECT id FROM fulfilment WHERE order_id = $1 ORDER BY parcel", row["id"]
    )
    token: str = await db.value(
        "SELECT payload ->> 'secret' FROM outbox"
        " WHERE kind = 'flows.order_placed' AND payload ->> 'order_id' = $1",
        str(row["id"]),
    )
    return Travelling(world, row["id"], row["number"], [p["id"] for p in parcels], token)


async def pass_stage(parcel: UUID, code: int, **given: Any) -> journey.Answer:
    """Pass one stage as a role that may, with a proof of the right kind."""
    stage = BY_CODE[code]
    role = "system" if "system" in stage.roles else min(stage.roles)
    actor = Actor(role=role, source="scan", name=f"a {role}", job="care", request_id="care")
    evidence = [Evidence(min(stage.evidence), f"test-{code}")]
    return await journey.advance(uuid7(), parcel, code, actor=actor, evidence=evidence, **given)


async def travel(parcel: UUID, *codes: int) -> None:
    """Pass the stages in turn; what does not apply settles itself and is left out here."""
    for code in codes:
        if code not in await passed(parcel):
            await pass_stage(parcel, code)


async def passed(parcel: UUID) -> list[int]:
    """List the stages that a parcel has settled."""
    settled: list[int] = await db.value("SELECT passed FROM fulfilment WHERE id = $1", parcel)
    return settled


async def serials_for(parcel: UUID, serials: Sequence[str]) -> None:
    """Tie units to the parcel's first serialised line, as picking and QC do."""
    await db.execute(
        "UPDATE unit SET state = 'picked', fulfilment_line_id = (SELECT l.id FROM fulfilment_line l"
        " JOIN product p ON p.id = l.product_id WHERE l.fulfilment_id = $1 AND p.serialised"
        " ORDER BY l.id LIMIT 1) WHERE serial = ANY ($2::text[])",
        parcel,
        list(serials),
    )


class Postbox:
    """A messenger that keeps what it is given; `refusing` makes it refuse for good."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str]] = []
        self.failure: Exception | None = None
        self.keyed = True

    def route(self, channel: str, to: str) -> ports.Route:
        return ports.Route("postbox", self.keyed)

    async def send(self, letter: ports.Letter) -> str:
        if self.failure:
            raise self.failure
        self.sent.append((letter.id, letter.channel, letter.to, letter.body))
        return f"sandbox-{len(self.sent)}"
