"""What is ordered: the sample company with a thousand more products, and orders that all differ."""

from __future__ import annotations

import random
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec

from doorstep import seed
from doorstep.core import db, db_engine
from doorstep.core.actor import Actor
from doorstep.core.auth import service
from doorstep.doors.api.orders import incoming
from doorstep.flows.place_order import place_order
from doorstep.migrations.run import migrate
from doorstep.modules.oms.schemas import NewOrder
from tests.bench.machine import Machine
from tests.bench.moving import confirm
from tests.support.access import enter

PRODUCTS = 1000
"""So many that orders seldom wait for one another at the same shelf, as in a real catalogue."""

ADD_PRODUCTS = """
INSERT INTO product (id, sku, name, barcode, weight_g, length_mm, width_mm, height_mm,
                     warranty_months)
SELECT gen_random_uuid(), 'B-' || n, 'Product ' || n, 'bench-' || n, 1000, 200, 200, 200, 12
  FROM generate_series(1, $1) AS n
"""
ADD_COSTS = """
INSERT INTO vendor_product (vendor_id, product_id, currency, cost_minor)
SELECT v.id, p.id, 'AED', 5000 FROM vendor v, product p WHERE v.code = 'V-GULF' AND p.sku ~ '^B-'
"""
FILL_SHELVES = """
INSERT INTO stock (id, location_id, product_id, owner_id, on_hand)
SELECT gen_random_uuid(), l.id, p.id, v.id, CASE p.sku WHEN 'B-1' THEN 5 ELSE 1000000 END
  FROM location l, product p, vendor v
 WHERE l.code = 'WH-AE' AND p.sku ~ '^B-' AND v.code = 'V-GULF'
"""
SCARCE = "B-1"
HISTORY, CONFIRMED = 1000, 300


@dataclass
class World:
    """Who sends the load, by which tokens."""

    shop_token: str
    courier_id: UUID
    courier_token: str


async def make_world(machine: Machine, database: str) -> World:
    """Fill an empty database."""
    await migrate(machine.url(database))
    await db_engine.start(machine.url(database))
    try:
        await seed.seed()
        await db.execute(ADD_PRODUCTS, PRODUCTS)
        await db.execute(ADD_COSTS)
        await db.execute(FILL_SHELVES)
        shop = await service.create_person(role="sales", name="The shop")
        token = await service.issue_integration_token(shop, "shop")
        channel = await db.value("SELECT id FROM channel WHERE code = 'AE'")
        courier = await enter("courier", channel_ids=[channel])
        await _place_history()
        await db.execute("VACUUM ANALYZE")
    finally:
        await db_engine.stop()
    return World(token.token, courier.id, courier.tokens.access_token)


async def _place_history() -> None:
    """Place a thousand orders, confirm some: plans for empty tables would scan them ever after."""
    shop = Actor.system("bench")
    decode = msgspec.json.Decoder(NewOrder).decode
    for body in order_bodies(HISTORY, seed=3, prefix="H"):
        await place_order(incoming(decode(body)), actor=shop, may_be_short=False)
    for row in await db.rows("SELECT id FROM fulfilment ORDER BY id LIMIT $1", CONFIRMED):
        await confirm(row["id"])


def order_bodies(count: int, *, seed: int = 7, prefix: str = "B") -> list[bytes]:
    """Write orders of two lines, each of another customer for another pair of products."""
    rng = random.Random(seed)
    return [
        order_body(
            f"{prefix}{number:07}",
            ord(prefix) * 10_000 + number,
            [f"B-{sku}" for sku in rng.sample(range(2, PRODUCTS + 1), 2)],
        )
        for number in range(count)
    ]


def order_body(external_id: str, customer: int, skus: list[str]) -> bytes:
    """Write one order of our own API."""
    phone = f"050{1_000_000 + customer}"
    return msgspec.json.encode(
        {
            "channel": "AE",
            "external_id": external_id,
            "currency": "AED",
            "customer": {
                "name": f"Customer {customer}",
                "phone": phone,
                "email": f"customer{customer}@example.com",
                "language": "en",
            },
            "ship_to": {
                "name": f"Customer {customer}",
                "phone": phone,
                "street": [f"{customer} Marina Walk"],
                "building": "Tower 1",
                "floor": "4",
                "flat": "402",
                "city": "Dubai",
                "region": "Dubai",
                "country": "AE",
                "lat": 25.08,
                "lng": 55.14,
            },
            "lines": [
                {"sku": sku, "name": f"Product {sku}", "quantity": 1, "unit_price_minor": 10_000}
                for sku in skus
            ],
            "payments": [
                {"method": "credit_card", "amount_minor": 10_000 * len(skus), "due": "now"}
            ],
        }
    )


def new_key() -> str:
    """Make an Idempotency-Key."""
    return str(uuid4())
