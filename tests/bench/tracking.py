"""The customer's page: read for the first time, and asked again by a page that has it."""

from __future__ import annotations

import asyncpg
from litestar import Litestar

from tests.bench import client, compare
from tests.bench.machine import Machine
from tests.bench.replay import Asked, make_replay, record_requests
from tests.bench.report import Figure

LANGUAGES = ("en", "hi", "ar")
REPEATS = 8
"""How often each page asks again: the limit of a link is 30 requests at once."""

RECORDED = 600
NOT_MODIFIED = 304

TOKENS = """
SELECT payload ->> 'secret' FROM outbox
 WHERE kind = 'flows.order_placed' AND payload ? 'secret' ORDER BY id DESC LIMIT $1
"""


async def measure(
    app: Litestar, machine: Machine, orders: str, links: int, processes: int
) -> list[Figure]:
    """Read the same links by HTTP and as bare statements. Both are compared with the full read."""
    database = await machine.copy(orders, "tracking")
    connection = await asyncpg.connect(machine.url(database))
    tokens = [row[0] for row in await connection.fetch(TOKENS, links)]
    await connection.close()
    addresses = [f"/track/{token}?lang={language}" for language in LANGUAGES for token in tokens]
    await machine.settle()
    asked = [Asked("GET", address) for address in addresses[:RECORDED]]
    works, answers = await record_requests(app, machine.url(database), asked)
    full = await make_replay(machine, database, "tracking", works * (len(addresses) // len(works)))
    again = [
        client.request("GET", one.path, if_none_match=answer.headers["etag"])
        for one, answer in zip(asked, answers, strict=True)
    ]
    async with machine.api(database, processes=processes) as api:
        first = {"tracking, uncached": [client.request("GET", address) for address in addresses]}
        reading = await compare.over_http(api, first, full)
        full.sent = 0
        second = {"tracking, 304": again * REPEATS}
        known = await compare.over_http(api, second, full, status=NOT_MODIFIED)
    return reading + known
