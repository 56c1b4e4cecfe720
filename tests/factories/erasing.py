"""A customer whose traces are in as many places as an order can bring them to, and the search for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from doorstep.core import blobs, db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import erasure, tickets
from doorstep.flows.closing import close_orders
from tests.factories.company import Company, upload
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, order_of
from tests.factories.sync import SyncedCompany
from tests.support.pictures import make_jpeg

PHONE, EMAIL = "+971509876543", "zahra@qanaryat.example"
CANARIES = (
    "Zahra", "Qanary", "509876543", "qanaryat", "77 Canary Quay", "Birdcage Tower", "Nightingale",
    "Finch Row", "Sparrowtown", "ring-the-parrot", "my-canary-words", "25.0877", "55.1477",
)  # fmt: skip
"""Names, ways to reach, address, pin, and words, each findable wherever it stands."""

TWO_MONTHS = timedelta(days=60)


def body_of(external_id: str, *lines: tuple[str, int], **terms: str) -> dict[str, Any]:
    """Write the order of a customer who is a canary in everything."""
    body = order_body(external_id, *lines, **terms)
    body["customer"] = {
        "name": "Zahra Qanary", "email": EMAIL, "phone": PHONE, "language": "en",
    }  # fmt: skip
    body["ship_to"] |= {
        "name": "Zahra Qanary", "phone": PHONE, "street": ["77 Canary Quay"],
        "building": "Birdcage Tower", "floor": "Nightingale", "flat": "Finch Row",
        "city": "Sparrowtown", "lat": 25.0877, "lng": 55.1477,
        "instructions": "ring-the-parrot",
    }  # fmt: skip
    return body


async def place_canary(company: Company, *lines: tuple[str, int], **terms: str) -> Order:
    """Place such an order."""
    body = body_of(f"C-{uuid7().hex[-12:]}", *lines, **terms)
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    await company.work()
    return order_of(company, body, answer.json())


async def the_whole_way(company: Company) -> Order:
    """Let a canary's order travel by phones that sync, with words of everybody about it."""
    synced = SyncedCompany.of(company)
    order = await place_canary(synced)
    await order.go_on(1012)
    proof = await order.pod()
    proof.body["receiver"] = {"name": "Zahra Qanary", "relation": "customer"}
    proof.body["place"] = {"lat": 25.0877, "lng": 55.1477, "accuracy_m": 7}
    photo = make_jpeg(640, 480, seed=77)
    sha256 = await blobs.put(photo, mime="image/jpeg")
    await upload(sha256)
    await company.own_upload(company.users["delivery"].id, sha256)
    proof.body["photos"] = [{"slot": "parcel", "sha256": sha256}]
    await order.take_well(proof)
    await order.go_on(1014)
    report = await order.report()
    report.body["sign_off"]["name"] = "Zahra Qanary"
    await order.take_well(report)
    rating = await order.feedback()
    rating.body["words"] = "my-canary-words of a rating"
    await order.take_well(rating)
    await a_ticket(company, order)
    return order


async def a_ticket(company: Company, order: Order) -> None:
    """Let a desk write down what the customer has said, answer him, and be done with it."""
    desk = Actor(role="support", source="person", person_id=company.users["support"].id)
    ticket = await tickets.open_ticket(
        "question", "Zahra Qanary asks", "my-canary-words of a ticket", actor=desk,
        order_id=order.order_id,
    )  # fmt: skip
    await company.work()
    answer = await company.send(
        "support",
        f"/tickets/{ticket['id']}/messages",
        {"event_id": uuid7(), "author": "staff", "words": "Dear Zahra Qanary, my-canary-words."},
    )
    assert answer.status_code in (200, 201), answer.text
    await company.work()


async def settled(company: Company, clock: Any) -> None:
    """Let everything end: payouts are paid, problems closed, the return window passes."""
    await company.work()
    await db.execute(
        "UPDATE payout SET state = 'paid', sent_at = coalesce(sent_at, now()) WHERE state <> 'paid'"
    )
    await db.execute(
        "UPDATE ticket SET state = 'closed', resolved_at = now() WHERE state NOT IN ('resolved', 'closed')"
    )
    await db.execute("UPDATE problem SET closed_at = now() WHERE closed_at IS NULL")
    clock.advance(TWO_MONTHS)
    await close_orders({})
    await company.work()


async def long_over(company: Company, clock: Any) -> Order:
    """Bring the canary's order to an end in which nothing is open, with the clock as it was before.

    What is sent from then on is due at once, also by the clock of the database.
    """
    order = await the_whole_way(company)
    then = clock.now()
    await settled(company, clock)
    clock.set(then)
    return order


async def carried_out(company: Company) -> None:
    """Do what is due; an erasure that waited for something on its way out is looked at once more."""
    await company.work()
    await db.execute(
        "UPDATE erasure_request SET next_at = asked_at WHERE state = 'waiting' AND waits_for = '{work}'"
    )
    await erasure.look_at_erasures({})
    await company.work()


async def traces(canaries: tuple[str, ...] = CANARIES) -> dict[str, set[str]]:
    """Search every column of every table, bytes too, for each canary: {table.column: canaries}."""
    columns = await db.rows(
        "SELECT c.relname AS t, a.attname AS a, format_type(a.atttypid, NULL) AS type FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relkind = 'r'"
    )
    found: dict[str, set[str]] = {}
    for column in columns:
        name = f'"{column["a"]}"'
        text = f"encode({name}, 'escape')" if column["type"] == "bytea" else f"{name}::text"
        rows = await db.rows(
            f'SELECT DISTINCT w FROM "{column["t"]}" x, unnest($1::text[]) w'
            f" WHERE strpos(lower({text}), lower(w)) > 0",
            list(canaries),
        )
        if rows:
            found[f"{column['t']}.{column['a']}"] = {row["w"] for row in rows}
    return found


async def files_in(folder: Path) -> set[str]:
    """List the files of the store by their hashes."""
    return await asyncio.to_thread(
        lambda: {file.name for file in (folder / "blobs").rglob("*") if len(file.name) == 64}
    )
