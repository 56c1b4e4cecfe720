"""More buyers than goods, through our own API with two real processes: nothing is sold twice."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.wms.service import stock
from doorstep.stack.supervisor import Service, Supervisor, listen, uvicorn
from tests.factories.world import World, make_world, stock_of
from tests.support.access import PASSWORD, enter

PROCESSES = 2
AT_ONCE = 200
SKU = "MIX-500"


@pytest.fixture(scope="module")
async def api(db: object, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of an API of two processes on this worker's own database."""
    log = tmp_path_factory.mktemp("oversell") / "api.log"
    supervisor = Supervisor()
    with listen("127.0.0.1", 0) as opened:
        base_url = f"http://127.0.0.1:{opened.getsockname()[1]}"
        environment = {**os.environ, "PUBLIC_URL": base_url, "COOKIE_SECURE": "false"}
        command = uvicorn("doorstep.app:create_app", opened, "--no-proxy-headers")
        try:
            for number in range(PROCESSES):
                name = f"api-{number}"
                supervisor.add(Service(name, command, environment, log, [opened]))
            yield base_url
        finally:
            await supervisor.stop()


@asynccontextmanager
async def sales_desk(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that is signed in as sales, with a connection for each buyer."""
    person = await enter("sales")
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=base_url, limits=limits, timeout=60, trust_env=False
    ) as client:
        signed_in = await client.post(
            "/api/sign-in", json={"login": person.login, "password": PASSWORD}
        )
        assert signed_in.is_success, signed_in.text
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        yield client


def an_order_of(buyer: int) -> dict[str, Any]:
    """Make the order of one buyer for one unit, cash at the door."""
    return {
        "channel": "AE",
        "external_id": f"RUSH-{buyer}",
        "currency": "AED",
        "customer": {
            "name": f"Buyer {buyer}",
            "phone": f"05{1_000_000 + buyer:08}",
            "email": f"buyer{buyer}@example.com",
        },
        "ship_to": {
            "name": f"Buyer {buyer}",
            "phone": f"05{1_000_000 + buyer:08}",
            "street": ["12 Marina Walk"],
            "building": "Tower 1",
            "floor": "4",
            "flat": str(buyer),
            "city": "Dubai",
            "country": "AE",
        },
        "lines": [{"sku": SKU, "name": "Hand mixer", "quantity": 1, "unit_price_minor": 100_00}],
        "payments": [{"method": "cod", "amount_minor": 100_00, "due": "at_door"}],
    }


async def rush(base_url: str, buyers: int) -> list[httpx.Response]:
    """Let so many buyers order one unit each, `AT_ONCE` at a time; each is answered."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def buy(client: httpx.AsyncClient, buyer: int) -> httpx.Response:
        async with gate:
            headers = {"Idempotency-Key": str(uuid7())}
            return await client.post("/api/orders", json=an_order_of(buyer), headers=headers)

    async with sales_desk(base_url) as client:
        return await asyncio.gather(*(buy(client, buyer) for buyer in range(buyers)))


async def stocked(units: int) -> World:
    world = await make_world(units=0)
    product_id: UUID = world.products[SKU]
    await stock.receive(world.warehouse_id, product_id, None, units, ref="delivery")
    return world


async def check_books(world: World, sold: list[httpx.Response], units: int) -> None:
    """The orders that were answered 201 exist, hold one unit each, and there are no others."""
    taken = {UUID(answer.json()["order_id"]) for answer in sold}
    assert {row["id"] for row in await core_db.rows("SELECT id FROM customer_order")} == taken
    assert await stock_of(world, SKU) == (units, len(sold), 0)
    held = await core_db.one(
        "SELECT sum(quantity) AS units, count(*) AS rows, count(DISTINCT order_id) AS orders"
        " FROM reservation WHERE state = 'held'"
    )
    assert set(held.values()) == {len(sold)}
    assert await core_db.value("SELECT min(on_hand - held - allocated) FROM stock") >= 0
    for table in ("fulfilment", "journey_event", "customer", "idempotency_key"):
        assert await core_db.value(f"SELECT count(*) FROM {table}") == len(sold), table


@pytest.mark.parametrize(("buyers", "units"), [(200, 1), (1200, 1000)])
async def test_exactly_as_many_buy_as_there_are_units(
    db: object, redis: object, api: str, buyers: int, units: int
) -> None:
    world = await stocked(units)
    answers = await rush(api, buyers)

    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: units, 409: buyers - units}, [
        answer.text for answer in answers if answer.status_code not in (201, 409)
    ][:3]
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert refused.json()["type"] == "/problems/out-of-stock"
        assert "Retry-After" not in refused.headers
    await check_books(world, [answer for answer in answers if answer.status_code == 201], units)
