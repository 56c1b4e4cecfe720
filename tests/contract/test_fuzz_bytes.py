"""Good requests are damaged byte by byte, for every operation alike: no 5xx, no hang, nothing broken.

They are recorded from orders that travel, and made from the description.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx
import msgspec
import pytest

from doorstep.core import limits
from tests.contract.damages import Good, damaged
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
from tests.factories.company import Company, the_app
from tests.factories.journeys import Order, place

PARTS = 4
DAMAGED, MANY_DAMAGED = 20_000 // PARTS, 500_000 // PARTS
"""Damaged requests of each part, over all operations."""

GENERATED = 4
"""Requests of each operation that are made from the description, to be damaged."""


@pytest.mark.parametrize("part", range(PARTS))
async def test_damaged_requests_are_refused_and_break_nothing(company: Company, part: int) -> None:
    await damage(company, DAMAGED, number=10 + part)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
async def test_many_damaged_requests(company: Company, part: int) -> None:
    await damage(company, MANY_DAMAGED, number=20 + part)


@dataclass
class Requests:
    """Good requests of every operation."""

    by_name: dict[str, list[Good]] = field(default_factory=lambda: defaultdict(list))

    async def record(self, answer: httpx.Response) -> None:
        """Keep what people really send, once it was taken."""
        sent = answer.request
        name = operation_at(sent.method, sent.url.path)
        if answer.status_code < 400 and name and len(self.by_name[name]) < 12:
            self.add(name, sent)

    def add(self, name: str, sent: httpx.Request) -> None:
        kept = tuple((key, value) for key, value in sent.headers.raw if key.lower() not in LEFT_OUT)
        segments = tuple(
            unquote(part) for part in sent.url.raw_path.decode().split("?")[0].split("/")
        )
        query = tuple(sent.url.params.multi_items())
        self.by_name[name].append(Good(name, sent.method, segments, query, kept, sent.content))


LEFT_OUT = frozenset(
    {b"authorization", b"host", b"content-length", b"accept-encoding", b"connection"}
)
PAGES = frozenset({"t", "verify"})
"""Where the customer's pages begin."""

PATTERNS = [
    (name, method, re.compile(re.sub(r"{[^}]+}", "[^/]+", path) + "$"), "{" in path)
    for name, (method, path, _) in ROUTES.items()
]


def operation_at(method: str, path: str) -> str:
    """Tell which operation a path belongs to; one without parameters first."""
    fitting = [
        (par, name) for name, m, pattern, par in PATTERNS if m == method and pattern.match(path)
    ]
    return min(fitting)[1] if fitting else ""


async def good_requests(company: Company, number: int) -> Requests:
    """Record orders that travel, and let the description make more for every operation."""
    requests = Requests()
    company.http.event_hooks["response"].append(requests.record)
    await travel(company)
    company.http.event_hooks["response"].clear()
    things = await known_things(company)
    dice = random.Random(number)
    for operation in operations():
        for case in await asyncio.to_thread(cases_of, operation, GENERATED, number):
            meet(dice, case, things, 0.9)
            try:
                kwargs = case.as_transport_kwargs(base_url="http://doorstep.test")
                kwargs.pop("cookies", None)
                requests.add(operation_id(operation), company.http.build_request(**kwargs))
            except (UnicodeError, ValueError):
                continue
    for name, (method, path, _) in ROUTES.items():
        if not requests.by_name[name]:
            requests.by_name[name].append(Good(name, method, tuple(path.split("/"))))
    return requests


async def damage(company: Company, most: int, *, number: int) -> None:
    dice = random.Random(number)
    requests = await good_requests(company, number)
    # A password costs its time on purpose; such operations are asked a fifth as often.
    weights = [0.2 if guards_secret(name) else 1.0 for name in sorted(ROUTES)]
    order = dice.choices(sorted(ROUTES), weights, k=most - len(ROUTES)) + sorted(ROUTES)
    wrong: list[str] = []
    statuses: Counter[int] = Counter()
    began = time.monotonic()
    for name in order:
        good = dice.choice(requests.by_name[name])
        # Now and then the request goes through as it is, or as somebody who may not.
        sent = damaged(dice, good) if dice.random() < 0.95 else good
        role = one_who_may(company, dice, name) if dice.random() < 0.95 else ""
        status, content_type, body = await send(company, sent, role)
        await stay_signed_in(company, role, status)
        statuses[status] += 1
        problem = content_type == "application/problem+json" or sent.method == "HEAD"
        # A person at a page reads why in words.
        problem = problem or (sent.parts[1] in PAGES and content_type.startswith("text/html"))
        if status >= 500 or (status >= 400 and not problem):
            wrong.append(f"{sent} as {role}: {status} {content_type} {body[:300]!r}"[:1500])
    spent = time.monotonic() - began
    print(f"{most} damaged requests of {len(ROUTES)} operations, seed {number}, {spent:.1f} s:"
          f" {dict(sorted(statuses.items()))}, {len(wrong)} wrong")  # fmt: skip
    assert wrong == []
    assert {200, 400, 401, 404, 422} <= statuses.keys()
    await all_is_well(company)


def guards_secret(name: str) -> bool:
    limit = ROUTES[name][2].opt.get("limit")
    return bool(limit and limits.CLASSES[limit].guards_secret)


async def send(company: Company, sent: Good, role: str) -> tuple[int, str, bytes]:
    """Call the application as a server does, with these very bytes: (status, kind, body)."""
    source = sent.parts[2] if len(sent.parts) > 2 else ""
    if sent.parts[1] == "hooks" and source in ("checkout", "clickpost", "bank") and sent.body:
        # Damaged, yet signed by its sender: nothing else gets past the signature.
        async with asyncio.timeout(SECONDS):
            answer = await company.hook(source, sent.body)
        return answer.status_code, answer.headers.get("content-type", ""), answer.content
    raw_path = "/".join(quote(part, safe="") for part in sent.parts)
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in sent.query)
    headers = [
        (key.lower(), value) for key, value in sent.headers if key.lower() != b"idempotency-key"
    ]
    headers.append((b"idempotency-key", f"key-{uuid4()}".encode()))
    headers.append((b"host", b"doorstep.test"))
    headers.append((b"content-length", str(len(sent.body)).encode()))
    if role:
        headers.append((b"authorization", company.users[role].headers["Authorization"].encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": sent.method,
        "headers": headers, "scheme": "http", "path": unquote(raw_path),
        "raw_path": raw_path.encode(), "query_string": query.encode(), "root_path": "",
        "server": ("doorstep.test", 80), "client": ("127.0.0.1", 50000),
    }  # fmt: skip
    answers: list[dict[str, Any]] = []
    incoming = iter([{"type": "http.request", "body": sent.body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(incoming, {"type": "http.disconnect"})

    async def keep(message: dict[str, Any]) -> None:
        answers.append(message)

    async with asyncio.timeout(SECONDS):
        await the_app()(scope, receive, keep)  # type: ignore[arg-type]
    told = {key.lower(): value.decode("latin-1") for key, value in answers[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in answers[1:])
    return answers[0]["status"], told.get(b"content-type", ""), body


async def test_an_order_goes_on_after_its_requests_were_damaged(company: Company) -> None:
    order: Order = await place(company)
    dice = random.Random(3)
    await order.go_on(1004)
    pick = await order.pick()
    content = msgspec.json.encode(pick.body)
    good = Good("", "POST", tuple(pick.path.split("/")),
                headers=((b"content-type", b"application/json"),), body=content)  # fmt: skip
    for _ in range(60):
        await send(company, damaged(dice, good), pick.who)
    await order.go_on()
    assert 1018 in await order.passed()
