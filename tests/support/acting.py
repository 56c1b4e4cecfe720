"""Doing something that somebody does, word for word again: what use-cases are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from tests.factories.company import Company
from tests.factories.journeys import Order, Step, standing

Act = Callable[[], Awaitable[object]]
Make = Callable[[Order], Awaitable[Step]]


class NotTaken(AssertionError):
    """A request was refused that must be taken, however often it is sent."""


@dataclass(frozen=True)
class UseCase:
    """One thing that somebody does; `prepare` brings the company to the moment before."""

    name: str
    prepare: Callable[[Company], Awaitable[Act]]
    free: frozenset[str] = frozenset()
    """What depends on the order in which its messages are handled (`crashing.Bench`)."""


def taken(answer: httpx.Response) -> httpx.Response:
    """Demand that a request was taken."""
    if not answer.is_success:
        raise NotTaken(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer


async def post(company: Company, who: str, path: str, body: Any, key: str = "") -> httpx.Response:
    headers = company.users[who].headers if who else {}
    if key:
        headers = headers | {"Idempotency-Key": key}
    return taken(
        await company.http.post(
            path,
            content=msgspec.json.encode(body),
            headers=headers | {"Content-Type": "application/json"},
        )
    )


def sending(company: Company, step: Step, key: str = "") -> Act:
    return lambda: post(company, step.who, step.path, step.body, key)


def hooked(company: Company, source: str, *bodies: bytes) -> Act:
    async def act() -> None:
        for body in bodies:
            taken(await company.hook(source, body))

    return act


def at_stage(make: Make, after: int, *, key: str = "", **given: Any) -> Callable[..., Any]:
    """Bring an order behind a stage and make the request of the next one."""

    async def prepare(company: Company) -> Act:
        order = await standing(company, after, **given)
        return sending(company, await make(order), key)

    return prepare
