"""The card of a visit holds what a technician needs in a cellar: the manual, and what was done before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from doorstep.core import db
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import Order, standing
from tests.factories.pulls import Pocket

TEXTS = {"en": "1. Take the transport bolts out.\n2. Level it.", "ar": "١. أزل براغي النقل."}


async def card_of(company: Company, order: Order) -> Any:
    cards = await company.get("technician", "/field/visits")
    return next(card for card in cards if card["fulfilment_id"] == str(order.parcel))


async def before(company: Company, order: Order) -> list[tuple[str, str, bool]]:
    card = await card_of(company, order)
    return [(one["number"], one["state"], one["here"]) for one in card["earlier"]]


async def test_what_was_done_for_another_order_of_the_customer_stands_on_the_card(
    company: Company,
) -> None:
    first = await standing(company, 1015)
    second = await standing(company, 1014)
    [told] = (await card_of(company, second))["earlier"]
    serials = await db.rows("SELECT serial FROM visit_report_unit ORDER BY n")
    assert (told["number"], told["state"], told["here"]) == (first.number, "completed", True)
    assert [one["serial"] for one in told["units"]] == [row["serial"] for row in serials] != []
    assert told["units"][0]["model"]
    visit = await db.value("SELECT id FROM visit WHERE fulfilment_id = $1", second.parcel)
    broken = capture(reason="part_needed", words="The hose leaks.")
    await ok(company, "technician", f"/field/visits/{visit}/failed", broken)
    await company.work()
    again = (await card_of(company, second))["earlier"]
    assert [(one["number"], one["reason"], one["words"]) for one in again] == [
        (first.number, "", ""),
        (second.number, "part_needed", "The hose leaks."),
    ]
    # He was there when he said so, whatever hour the visit had been booked for.
    assert datetime.fromisoformat(again[-1]["visited_at"]) == broken["captured_at"]


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("UPDATE address SET flat = 'Elsewhere' WHERE id = $1", [False]),
        ("UPDATE customer SET phone = '+971509999999' WHERE id = $2", []),
        ("UPDATE customer SET phone = NULL WHERE id = $2", []),
        ("UPDATE customer_order SET channel_id = $3 WHERE id = $4", []),
    ],
    ids=["another address", "another phone at the address", "nobody's phone", "another channel"],
)
async def test_nobody_is_told_of_another_customer_or_channel(
    company: Company, change: str, seen: list[bool]
) -> None:
    first = await standing(company, 1015)
    order = await db.one("SELECT * FROM customer_order WHERE id = $1", first.order_id)
    fresh = (
        "INSERT INTO {0} SELECT (jsonb_populate_record(x, jsonb_build_object({1}))).* FROM {0} x"
    )
    own = await db.value(
        fresh.format("customer", "'id', new_id(), 'email', 'other@example.com'")
        + " WHERE id = $1 RETURNING id",
        order["customer_id"],
    )
    await db.execute(
        "UPDATE customer_order SET customer_id = $2 WHERE id = $1", first.order_id, own
    )
    channel = await db.value(
        fresh.format("channel", "'id', new_id(), 'code', 'ZZ'") + " LIMIT 1 RETURNING id"
    )
    second = await standing(company, 1014)
    assert await before(company, second) == [(first.number, "completed", True)]
    given = {"$1": order["address_id"], "$2": own, "$3": channel, "$4": first.order_id}
    used = [name for name in given if name in change]
    for n, name in enumerate(used, start=1):
        change = change.replace(name, f"${n}")
    await db.execute(change, *(given[name] for name in used))
    assert [here for _, _, here in await before(company, second)] == seen


async def test_a_manual_comes_with_the_visit_once_and_its_newest_version_alone(
    company: Company,
) -> None:
    await standing(company, 1014)
    await standing(company, 1014)
    manual = {"sku": "WM-7KG", "texts": TEXTS, "link": "https://maker.example/wm-7kg.pdf"}
    for _ in range(2):
        assert (await ok(company, "admin", "/console/manuals", manual))["version"] == 1
    await ok(company, "admin", "/console/manuals", manual | {"sku": "KET-17"})
    phone = Pocket(company, "technician")
    await phone.pull()
    [kept] = phone.of("manual")
    assert (kept["sku"], kept["texts"], kept["link"]) == tuple(manual.values())
    better = manual | {"texts": TEXTS | {"en": "1. Read this."}}
    assert (await ok(company, "admin", "/console/manuals", better))["version"] == 2
    await phone.pull()
    assert [one["texts"]["en"] for one in phone.of("manual")] == ["1. Read this."]
    gone = {"sku": "WM-7KG", "texts": {}}
    assert (await ok(company, "admin", "/console/manuals", gone))["version"] == 3
    await phone.pull()
    assert phone.of("manual") == []
    assert [one["sku"] for one in await company.get("support", "/console/manuals")] == ["KET-17"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sku": "NO-SUCH"}, "part-unknown"),
        ({"texts": {"ar": "١"}}, "manual-not-in-english"),
        ({"link": "http://maker.example/a.pdf"}, "invalid"),
        ({"link": "javascript:alert(1)"}, "invalid"),
        ({"texts": {"en": "x" * 4001}}, "invalid"),
    ],
)
async def test_a_manual_that_phones_could_not_show_is_refused(
    company: Company, change: dict[str, Any], problem: str
) -> None:
    manual = {"sku": "WM-7KG", "texts": TEXTS} | change
    answer = await company.send("admin", "/console/manuals", manual)
    assert answer.json()["type"] == f"/problems/{problem}", answer.text
    assert await db.value("SELECT count(*) FROM manual") == 0
