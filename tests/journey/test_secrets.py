"""What opens doors or names people is in no log, no error and, once told, in no table (IA9)."""

from __future__ import annotations

import re
from typing import Any

import structlog

from doorstep.core import logging as doorstep_logging
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, place
from tests.factories.snapshots import FLEETING, everything, rows_of

PEOPLE = ("Aisha", "+971501234567", "501234567", "aisha@example.com", "12 Marina Walk")


async def the_whole_way(company: Company) -> tuple[Order, dict[str, str]]:
    """Let an order travel to its end; tell the secrets that were used on the way."""
    order = await place(company)
    await order.go_on(1012)
    code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    await order.go_on()
    secrets = {
        f"token of {name}": user.headers["Authorization"].removeprefix("Bearer ")
        for name, user in company.users.items()
    }
    secrets["handover code"] = code
    secrets["tracking token"] = company.told(r"/t/([\w-]{20,})", order.number)
    return order, secrets


async def test_no_log_line_of_a_whole_journey_has_a_secret_or_a_person(company: Company) -> None:
    with structlog.testing.capture_logs() as events:
        _order, secrets = await the_whole_way(company)
    assert len(events) > 50
    lines = [as_written(event) for event in events]
    for name, secret in [*secrets.items(), *((one, one) for one in PEOPLE)]:
        found = [line for line in lines if re.search(rf"(?<![\w-]){re.escape(secret)}(?!\w)", line)]
        assert found == [], name


def as_written(event: Any) -> str:
    """Write an event as the product does in production: one line of JSON, redacted."""
    content: Any = dict(event)
    for process in doorstep_logging.processors(True):
        content = process(None, "info", content)
    return str(content)


async def test_once_told_no_table_keeps_a_secret(company: Company) -> None:
    _order, secrets = await the_whole_way(company)
    tables = await everything() | {name: await rows_of(name) for name in FLEETING}
    for name, secret in secrets.items():
        if name == "handover code":
            # Six digits may be part of anything; it stands for itself where it is told.
            whole = re.compile(rf"(?<![\w.-]){secret}(?![\w.-])")
            kept = [table for table, rows in tables.items() if any(map(whole.search, rows))]
        else:
            kept = [table for table, rows in tables.items() if any(secret in row for row in rows)]
        assert kept == [], name


async def test_no_refusal_repeats_what_identifies_somebody(company: Company) -> None:
    order, secrets = await the_whole_way(company)
    body = order_body("T-OTHER")
    body["customer"]["phone"] = "+9715012345678901234567"
    answers = [
        await send_order(company, body),
        await send_order(company, body | {"lines": []}),
        await send_order(company, {**order_body("T-SHORT"), "lines": body["lines"] * 30}),
        await company.http.get(f"/track/{secrets['tracking token'].swapcase()}"),
        await company.http.get("/api/me", headers={"Authorization": f"Bearer {'dst_' + 'x' * 43}"}),
        await company.send(
            "", "/api/sign-in", {"login": "aisha@example.com", "password": "x" * 20}
        ),
        await company.send("vendor", f"/field/fulfilments/{order.parcel}/pick", {}),
        await company.send("delivery", f"/field/stops/{uuid7()}/code", {"code": "123456"}),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        for secret in (*PEOPLE, *secrets.values(), "x" * 20):
            assert secret not in answer.text, answer.text
