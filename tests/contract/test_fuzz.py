"""Whatever is sent: no 5xx, no hang, and every answer is one that the API's description declares.

Requests are made from the OpenAPI description, half of them about things that exist, as somebody
whose role may; and by damaging good bodies byte by byte.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from doorstep import doctor
from doorstep.app import openapi_document
from doorstep.core import db
from doorstep.core.actor import ROLES
from doorstep.core.auth.guard import handlers_of
from doorstep.core.auth.permissions import may
from doorstep.core.ids import uuid7
from doorstep.flows.count import propose_counts
from tests.factories.company import Company, open_company, the_app
from tests.factories.floor import adjustment, announced
from tests.factories.journeys import Order, Step, crewed, order_body, place, standing

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES, MANY_EXAMPLES = 8, 100
MUTATIONS, MANY_MUTATIONS = 2_000, 30_000
SECONDS = 10.0
"""Longest that an answer may take, on a machine that does other things too."""

HANDLERS = {str(handler.operation_id): handler for _, _, handler in handlers_of(the_app())}
LEFT_ALONE = frozenset({"signOut", "deactivatePerson", "revokeDevice", "revokeSession"})
"""They would end the sessions of the fuzz itself; they are asked about nobody we know."""


@pytest.fixture
async def company(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Company]:
    async with open_company(tmp_path) as opened:
        yield opened


def test_the_description_is_the_one_of_every_route() -> None:
    described = {operation_id(one) for one in operations()}
    assert described == set(HANDLERS) - {"readMetrics"}, "only the text for Prometheus is left out"


async def test_requests_made_from_the_description_get_answers_it_declares(
    company: Company, redis: Any
) -> None:
    await ask_everything(company, redis, EXAMPLES, seed=1)


@pytest.mark.soak
async def test_many_requests_made_from_the_description(company: Company, redis: Any) -> None:
    await ask_everything(company, redis, MANY_EXAMPLES, seed=2)


async def test_damaged_bodies_are_refused_and_break_nothing(company: Company) -> None:
    await damage(company, MUTATIONS, seed=1)


@pytest.mark.soak
async def test_many_damaged_bodies(company: Company) -> None:
    await damage(company, MANY_MUTATIONS, seed=2)


# --- From the description -----------------------------------------------------------------------


def operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(openapi_document())
    return [found.ok() for found in schema.get_all_operations()]


def operation_id(operation: Any) -> str:
    return str(operation.definition.raw["operationId"])


def cases_of(operation: Any, most: int) -> list[Any]:
    """Let Hypothesis make requests, without sending them: our doors answer on another loop."""
    cases: list[Any] = []

    @settings(
        max_examples=most, phases=[Phase.generate], derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


async def ask_everything(company: Company, redis: Any, most: int, *, seed: int) -> None:
    dice = random.Random(seed)
    things = await known_things(company)
    wrong: list[str] = []
    for operation in operations():
        name = operation_id(operation)
        for case in await asyncio.to_thread(cases_of, operation, most):
            if name not in LEFT_ALONE and dice.random() < 0.5:
                for parameter in case.path_parameters or {}:
                    if parameter in things:
                        case.path_parameters[parameter] = dice.choice(things[parameter])
            await redis.flushdb()  # Limits are not what is asked about here.
            wrong += await ask(company, name, case)
    assert wrong == []
    assert [str(one) for one in await doctor.run()] == []


async def ask(company: Company, name: str, case: Any) -> list[str]:
    request = case.as_transport_kwargs(base_url="http://doorstep.test")
    permission = HANDLERS[name].opt.get("permission")
    if permission:
        role = next(one for one in ROLES if one in company.users and may(one, permission))
        request["headers"].update(company.users[role].headers)
    request.pop("cookies", None)
    try:
        sent = company.http.build_request(**request)
    except (UnicodeError, ValueError):
        return []  # Not a request that HTTP can carry.
    async with asyncio.timeout(SECONDS):
        answer = await company.http.send(sent)
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as found:
        return [f"{name}: {sent.method} {sent.url} {sent.content[:300]!r}: {found!s:.600}"]
    return []


async def known_things(company: Company) -> dict[str, list[str]]:
    """Have orders at several stages, so that ids in paths meet something."""
    order = await standing(company, 1018)
    for stage in (1003, 1004, 1008, 1012, 1014):
        await standing(company, stage)
    about = {"type": "other", "title": "Fuzz", "order_id": order.order_id}
    await company.send("support", "/tickets", about)
    await announced(company, ("KET-17", 2))
    await propose_counts({})
    wrong_stock = adjustment("MIX-500", -9)
    await company.send("warehouse", "/field/adjustments", wrong_stock)
    await standing(company, 1012, ("MIX-500", 1), shift_id=await crewed(company, "VAN-1"))
    tables = {
        "fulfilment_id": "fulfilment", "order_id": "customer_order", "run_id": "delivery_run",
        "stop_id": "delivery_stop", "visit_id": "visit", "po_id": "purchase_order",
        "tranche_id": "tranche", "pod_id": "pod", "document_id": "order_document",
        "person_id": "person", "ticket_id": "ticket", "problem_id": "problem",
        "arrival_id": "expected_arrival", "count_id": "cycle_count", "approval_id": "approval",
        "adjustment_id": "stock_adjustment", "location_id": "location", "channel_id": "channel",
        "shift_id": "shift",
    }  # fmt: skip
    found = {
        name: [str(row["id"]) for row in await db.rows(f'SELECT id FROM "{table}"')]
        for name, table in tables.items()
    }
    numbers = await db.rows("SELECT number FROM warranty UNION SELECT number FROM customer_order")
    found["number"] = [row["number"] for row in numbers]
    found["token"] = [company.told(r"/track/([\w-]{20,})", order.number)]
    return found


# --- Byte by byte -------------------------------------------------------------------------------

Damage = Callable[[random.Random, bytearray], None]


def _flip(dice: random.Random, body: bytearray) -> None:
    body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)


def _cut(dice: random.Random, body: bytearray) -> None:
    del body[dice.randrange(len(body)) :]


def _drop(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    del body[at : at + dice.randrange(1, 20)]


def _double(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    body[at:at] = body[at : at + dice.randrange(1, 40)]


def _insert(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    body[at:at] = dice.choice(TOKENS)


def _value(dice: random.Random, body: bytearray) -> None:
    """Put something else where a value stands."""
    colons = [at for at, byte in enumerate(body) if byte in b":,["]
    at = dice.choice(colons or [0]) + 1
    end = at
    while end < len(body) and body[end] not in b",}]":
        end += 1
    body[at:end] = dice.choice(TOKENS)


TOKENS = [
    b"\x00", b'"\\u0000"', b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"', b"1e999", b"-1", b"0.5",
    str(2**70).encode(), b"-9223372036854775809", b"null", b"true", b"[]", b"{}", b'""',
    b"[" * 3000, b'{"a":' * 3000, b'"' + b"x" * 20_000 + b'"', b'"2026-11-23T10:00:00"',
    b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-14:00"', b"NaN",
    '"١٢٣"'.encode(), b'"; DROP TABLE stock; --"', b"\xef\xbb\xbf",
]  # fmt: skip
DAMAGES: list[Damage] = [_flip, _cut, _drop, _double, _insert, _value, _value, _value]


async def good_requests(company: Company) -> list[Step]:
    """Write a good request for every route that takes a body of the field, a vendor or a desk."""
    at = {stage: await standing(company, stage) for stage in (1003, 1004, 1005, 1006, 1008, 1012)}
    delivered = await standing(company, 1014)
    finished = await standing(company, 1015)
    location, courier = company.world.warehouse_id, company.users["courier"].id
    manifest = {"location_id": location, "courier_id": courier}
    counts = {"event_id": uuid7(), "order_ids": [at[1003].order_id], "amount_minor": 1}
    return [
        Step("sales", "/api/orders", order_body("T-FUZZ")),
        await at[1003].accept(),
        await at[1004].pick(),
        await at[1005].check(),
        await at[1006].pack(),
        await at[1008].scan("pickup"),
        await at[1008].book(),
        Step("dispatcher", "/console/manifests", manifest | {"fulfilment_ids": [at[1008].parcel]}),
        await at[1008].accept_run(),
        await at[1012].pod(),
        await delivered.report(),
        await finished.feedback(),
        Step("finance", "/console/finance/cash-counts", counts | {"currency": "AED", "note": "x"}),
        Step("", "/api/sign-in", {"login": "somebody", "password": "x" * 20}),
        Step("", "/api/enrol", {"code": "X" * 26, "device_label": "phone", "pin": "123456"}),
        Step("", "/hooks/checkout", {}),
        Step("admin", "/api/people", {"role": "courier", "name": "A courier"}),
    ]


def damaged(dice: random.Random, steps: list[Step]) -> Iterator[tuple[Step, bytes]]:
    bodies = [msgspec.json.encode(step.body) for step in steps]
    while True:
        n = dice.randrange(len(steps))
        body = bytearray(bodies[n])
        for _ in range(dice.choice((1, 1, 2, 4))):
            if body:
                dice.choice(DAMAGES)(dice, body)
        yield steps[n], bytes(body)


async def damage(company: Company, most: int, *, seed: int) -> None:
    dice = random.Random(seed)
    wrong: list[str] = []
    statuses: set[int] = set()
    requests = damaged(dice, await good_requests(company))
    for _, (step, body) in zip(range(most), requests, strict=False):
        answer = await send_damaged(company, step, body)
        statuses.add(answer.status_code)
        problem = answer.headers.get("content-type") == "application/problem+json"
        if answer.status_code >= 500 or (answer.status_code >= 400 and not problem):
            wrong.append(f"{step.path} {body[:400]!r}: {answer.status_code} {answer.text[:200]}")
    assert wrong == []
    assert {200, 400, 422} <= statuses
    await company.work()
    assert [str(one) for one in await doctor.run()] == []


async def send_damaged(company: Company, step: Step, body: bytes) -> httpx.Response:
    headers = dict(company.users[step.who].headers) if step.who else {}
    headers |= {"Content-Type": "application/json", "Idempotency-Key": f"key-{uuid4()}"}
    async with asyncio.timeout(SECONDS):
        if step.path.startswith("/hooks/checkout"):
            return await company.hook("checkout", body)
        return await company.http.post(step.path, content=body, headers=headers)


async def test_an_order_goes_on_after_its_requests_were_damaged(company: Company) -> None:
    order: Order = await place(company)
    dice = random.Random(3)
    await order.go_on(1004)
    pick = await order.pick()
    for _, (step, body) in zip(range(60), damaged(dice, [pick]), strict=False):
        await send_damaged(company, step, body)
    await order.go_on()
    assert 1018 in await order.passed()
