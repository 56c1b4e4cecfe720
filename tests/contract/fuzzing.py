"""Requests of every operation, made from the OpenAPI description, to a company that has what they name.

Half of them are about things that exist, as somebody whose role may. A new route is asked without a
line here.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

from doorstep import doctor
from doorstep.app import openapi_document
from doorstep.core import db
from doorstep.core.auth.permissions import may
from doorstep.flows.count import propose_counts
from tests.contract.routes import ROUTES
from tests.factories.company import FIELD, Company, session_of
from tests.factories.crews import crewed
from tests.factories.floor import adjustment, announced
from tests.factories.journeys import Order, standing
from tests.support.worker import run_due

SECONDS = 10.0
"""Longest that an answer may take, on a machine that does other things too."""


def operations() -> list[Any]:
    # Through JSON, as everybody else reads it.
    document = msgspec.json.decode(msgspec.json.encode(openapi_document()))
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


def operation_id(operation: Any) -> str:
    return str(operation.definition.raw["operationId"])


def cases_of(operation: Any, most: int, number: int) -> list[Any]:
    """Let Hypothesis make requests, without sending them: our doors answer on another loop."""
    cases: list[Any] = []

    @seed(number)
    @settings(
        max_examples=most, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


def meet(dice: random.Random, case: Any, things: dict[str, list[str]], share: float = 0.5) -> None:
    """Let a share of the requests be about something that there is."""
    if dice.random() < share:
        for parameter in case.path_parameters or {}:
            if things[parameter]:
                case.path_parameters[parameter] = dice.choice(things[parameter])


def one_who_may(company: Company, dice: random.Random, name: str) -> str:
    """Choose a role that may call an operation; nobody for a public one."""
    permission = ROUTES[name][2].opt.get("permission")
    if not permission:
        return ""
    return dice.choice([role for role in sorted(company.users) if may(role, permission)])


async def stay_signed_in(company: Company, role: str, status: int) -> None:
    """Sign somebody in again whose session the fuzz itself has ended, in whatever way."""
    if role and status == 401:
        user = company.users[role]
        await db.execute(
            "UPDATE person SET active = true, deactivated_at = NULL WHERE id = $1", user.id
        )
        headers = await session_of(user.id, "phone" if role in FIELD else "person")
        company.users[role] = replace(user, headers=headers)


async def travel(company: Company) -> Order:
    """Have orders at several stages, so that ids in paths meet something."""
    order = await standing(company, 1018)
    for stage in (1003, 1004, 1008, 1012, 1014):
        await standing(company, stage)
    about = {"type": "other", "title": "Fuzz", "order_id": order.order_id}
    await company.send("support", "/tickets", about)
    await announced(company, ("KET-17", 2))
    await propose_counts({})
    await company.send("warehouse", "/field/adjustments", adjustment("MIX-500", -9))
    await standing(company, 1012, ("MIX-500", 1), shift_id=await crewed(company, "VAN-1"))
    return order


async def known_things(company: Company) -> dict[str, list[str]]:
    """Find values for every parameter of a path: what the tables hold under its name."""
    columns = await db.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('uuid', 'text')"
    )
    named = {name for _, path, _ in ROUTES.values() for name in re.findall(r"{(\w+)", path)}
    found: dict[str, list[str]] = defaultdict(list)
    for parameter in named:
        thing = parameter.removesuffix("_id")
        for row in columns:
            table, column = row["table_name"], row["column_name"]
            own = column == "id" and parameter != thing and table.endswith(thing)
            if own or column == parameter:
                values = await db.rows(
                    f'SELECT DISTINCT "{column}"::text AS v FROM "{table}"'
                    f' WHERE "{column}" IS NOT NULL LIMIT 40'
                )
                found[parameter] += [one["v"] for one in values]
    found["token"].append(company.told(r"/t/([\w-]{20,})", "DS-"))
    return found


async def all_is_well(company: Company) -> None:
    """Run what the requests have set off; then nothing is wrong with anything."""
    while True:
        ran = await run_due()
        bad = [(kind, how) for kind, how in ran if how in ("failed", "dead")]
        assert not bad, (bad, await db.rows("SELECT kind, last_error FROM outbox"
                                            " WHERE last_error IS NOT NULL LIMIT 20"))  # fmt: skip
        if not ran:
            break
    assert [str(one) for one in await doctor.run()] == []
