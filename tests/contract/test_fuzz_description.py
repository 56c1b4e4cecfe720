"""Every answer is one that the API's description declares, whatever is asked: no 5xx, no hang."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.fuzzing import (
    SECONDS,
    all_is_well,
    cases_of,
    known_things,
    meet,
    one_who_may,
    operation_id,
    operations,
    stay_signed_in,
    travel,
)
from tests.contract.routes import ROUTES
from tests.factories.company import Company

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES, MANY_EXAMPLES = 8, 100
"""Requests per operation whose answers are compared with the description."""


def test_the_description_is_the_one_of_every_route() -> None:
    described = {operation_id(one) for one in operations()}
    files = {"openFieldApp", "readFieldApp"}
    # Pages and forms of the customer's page; what they do has its operations under /track.
    pages = {name for name, (_, path, _) in ROUTES.items() if path.startswith("/t/")}
    assert described == set(ROUTES) - {"readMetrics"} - files - pages, "files are no operations"


async def test_requests_made_from_the_description_get_answers_it_declares(company: Company) -> None:
    await ask_everything(company, EXAMPLES, number=1)


@pytest.mark.soak
async def test_many_requests_made_from_the_description(company: Company) -> None:
    await ask_everything(company, MANY_EXAMPLES, number=2)


async def ask_everything(company: Company, most: int, *, number: int) -> None:
    dice = random.Random(number)
    await travel(company)
    things = await known_things(company)
    wrong: list[str] = []
    asked = 0
    for operation in operations():
        name = operation_id(operation)
        for case in await asyncio.to_thread(cases_of, operation, most, number):
            meet(dice, case, things)
            wrong += await ask(company, dice, name, case)
            asked += 1
    print(*wrong, sep="\n")
    print(f"{asked} requests of {len(ROUTES) - 1} operations, seed {number}: {len(wrong)} wrong")
    assert wrong == []
    await all_is_well(company)


async def ask(company: Company, dice: random.Random, name: str, case: Any) -> list[str]:
    request = case.as_transport_kwargs(base_url="http://doorstep.test")
    role = one_who_may(company, dice, name)
    if role:
        request["headers"].update(company.users[role].headers)
    request.pop("cookies", None)
    try:
        sent = company.http.build_request(**request)
    except (UnicodeError, ValueError):
        return []  # Not a request that HTTP can carry.
    async with asyncio.timeout(SECONDS):
        answer = await company.http.send(sent)
    await stay_signed_in(company, role, answer.status_code)
    # An answer to HEAD has no content, so its type says nothing.
    left_out = [content_type_conformance] if sent.method == "HEAD" else []
    try:
        case.validate_response(answer, checks=[one for one in CHECKS if one not in left_out])
    except FailureGroup as found:
        return [f"{name}: {sent.method} {sent.url} {sent.content[:300]!r}: {found!s:.600}"]
    return []
