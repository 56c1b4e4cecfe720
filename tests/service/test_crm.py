"""crm's own rows: links, feedback once, warranties once, certificates checked by anybody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.crm import service as crm
from doorstep.modules.crm.rules import Line, hash_token
from tests.factories.care import Travelling, place

TODAY = date(2026, 11, 23)


async def lines(db: Any, order: Travelling) -> list[Line]:
    rows = await db.rows(
        "SELECT l.id, l.product_id, l.quantity, p.warranty_months FROM fulfilment_line l"
        " JOIN product p ON p.id = l.product_id WHERE l.fulfilment_id = $1 ORDER BY p.sku",
        order.parcels[0],
    )
    return [
        Line(row["id"], row["product_id"], row["quantity"], row["warranty_months"], {})
        for row in rows
    ]


async def unit(db: Any, serial: str) -> UUID:
    found: UUID = await db.value("SELECT id FROM unit WHERE serial = $1", serial)
    return found


async def test_only_the_hash_of_a_link_is_stored(db: Any) -> None:
    order = await place(("KET-17", 1))
    link = await db.one("SELECT * FROM order_link")
    assert link["token_hash"] == hash_token(order.token) and link["order_id"] == order.order_id


async def test_links_end_at_the_sooner_of_two_moments(db: Any) -> None:
    order = await place(("KET-17", 1))
    soon, later = now() + timedelta(days=30), now() + timedelta(days=60)
    await crm.limit_links(order.order_id, soon)
    await crm.limit_links(order.order_id, later)
    assert await db.value("SELECT expires_at FROM order_link") == soon


async def test_a_parcel_is_rated_once_and_the_same_words_again_are_the_same(db: Any) -> None:
    order = await place(("KET-17", 1))
    given = crm.Feedback(
        event_id=uuid7(), delivery_rating=5, installation_rating=None, words="Thanks"
    )
    first = await crm.keep_feedback(order.order_id, order.parcels[0], given)
    assert await crm.keep_feedback(order.order_id, order.parcels[0], given) == first
    other = crm.Feedback(event_id=uuid7(), delivery_rating=1, installation_rating=None, words="")
    with pytest.raises(crm.FeedbackAlreadyGiven):
        await crm.keep_feedback(order.order_id, order.parcels[0], other)
    assert await db.value("SELECT delivery_rating FROM feedback") == 5


async def test_warranties_are_written_once_per_serial_or_line(db: Any) -> None:
    order = await place(("WM-7KG", 2), ("KET-17", 3))
    kettle, washer = await lines(db, order)
    serials = order.world.serials["WM-7KG"][:2]
    washer = Line(
        washer.fulfilment_line_id,
        washer.product_id,
        2,
        24,
        {serial: await unit(db, serial) for serial in serials},
    )
    for _ in range(2):
        brought = await crm.register_warranties(
            order.order_id, order.parcels[0], [kettle, washer], TODAY
        )
        assert brought == 3
    rows = await db.rows("SELECT * FROM warranty ORDER BY serial NULLS LAST")
    assert [(row["serial"], row["quantity"]) for row in rows] == [
        (serials[0], 1),
        (serials[1], 1),
        (None, 3),
    ]
    assert [row["ends_on"] for row in rows] == [date(2028, 11, 23)] * 2 + [date(2027, 11, 23)]
    assert {row["state"] for row in rows} == {"registered"}


async def test_a_certificate_is_genuine_once_it_is_stored_and_while_it_lasts(
    db: Any, clock: Any
) -> None:
    order = await place(("KET-17", 1))
    await crm.register_warranties(
        order.order_id, order.parcels[0], await lines(db, order), now().date()
    )
    row = await db.one("SELECT id, number FROM warranty")
    with pytest.raises(crm.CertificateMissing):
        await crm.verify_certificate(row["number"])
    await crm.activate_warranties({row["id"]: "a" * 64})
    await crm.activate_warranties({row["id"]: "b" * 64})
    assert await db.value("SELECT certificate_sha256 FROM warranty") == "a" * 64

    shown = await crm.verify_certificate(row["number"].lower())
    assert shown["valid"] and shown["product"] == "Kettle 1.7 l"
    assert set(shown) == {"number", "product", "quantity", "starts_on", "ends_on", "valid"}
    clock.advance(timedelta(days=400))
    assert not (await crm.verify_certificate(row["number"]))["valid"]
