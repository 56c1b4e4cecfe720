"""Whatever is sent: no 5xx, no hang, and every answer is one that the API's description declares.

Requests are made from the OpenAPI description, half of them about things that exist, as somebody
whose role may. And good requests, recorded from orders that travel and made from the description,
are damaged byte by byte, for every operation alike. A new route is asked without a line here.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx
import msgspec
import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from doorstep import doctor
from doorstep.app import openapi_document
from doorstep.core import db, limits
from doorstep.core.auth.guard import handlers_of
from doorstep.core.auth.permissions import may
from doorstep.flows.count import propose_counts
from tests.factories.company import FIELD, Company, open_company, session_of, the_app
from tests.factories.floor import adjustment, announced
from tests.factories.journeys import Order, crewed, place, standing
from tests.support.worker import run_due

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES, MANY_EXAMPLES = 8, 100
"""Requests per operation whose answers are compared with the description."""

PARTS = 4
DAMAGED, MANY_DAMAGED = 20_000 // PARTS, 500_000 // PARTS
"""Damaged requests of each part, over all operations."""

GENERATED = 4
"""Requests of each operation that are made from the description, to be damaged."""

SECONDS = 10.0
"""Longest that an answer may take, on a machine that does other things too."""

ROUTES = {str(h.operation_id): (method, path, h) for method, path, h in handlers_of(the_app())}
QUIET = structlog.make_filtering_bound_logger(40)


@pytest.fixture
async def company(
    db: Any, redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    """A company whose limits are wide (they are not what is asked about) and whose log is short."""
    for name, bucket in limits.CLASSES.items():
        wide = replace(bucket, burst=10**7, per_minute=10**7)
        monkeypatch.setitem(limits.CLASSES, name, wide)
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=QUIET)
    try:
        async with open_company(tmp_path) as opened:
            yield opened
    finally:
        structlog.configure(wrapper_class=before)


def test_the_description_is_the_one_of_every_route() -> None:
    described = {operation_id(one) for one in operations()}
    assert described == set(ROUTES) - {"readMetrics"}, "only the text for Prometheus is left out"


async def test_requests_made_from_the_description_get_answers_it_declares(company: Company) -> None:
    await ask_everything(company, EXAMPLES, number=1)


@pytest.mark.soak
async def test_many_requests_made_from_the_description(company: Company) -> None:
    await ask_everything(company, MANY_EXAMPLES, number=2)


@pytest.mark.parametrize("part", range(PARTS))
async def test_damaged_requests_are_refused_and_break_nothing(company: Company, part: int) -> None:
    await damage(company, DAMAGED, number=10 + part)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
async def test_many_damaged_requests(company: Company, part: int) -> None:
    await damage(company, MANY_DAMAGED, number=20 + part)


# --- From the description -----------------------------------------------------------------------


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


def meet(dice: random.Random, case: Any, things: dict[str, list[str]], share: float = 0.5) -> None:
    """Let a share of the requests be about something that there is."""
    if dice.random() < share:
        for parameter in case.path_parameters or {}:
            if things[parameter]:
                case.path_parameters[parameter] = dice.choice(things[parameter])


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
    found["token"].append(company.told(r"/track/([\w-]{20,})", "DS-"))
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


@dataclass(frozen=True)
class Good:
    """A request that may well be right, in pieces that can be damaged."""

    name: str
    method: str
    parts: tuple[str, ...]
    """The segments of its path, not quoted."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


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


def damaged(dice: random.Random, good: Good) -> Good:
    """Damage the body of a request, else its path, its query or a header."""
    chance = dice.random()
    if good.body and chance < 0.8:
        body = bytearray(good.body)
        for _ in range(dice.choice((1, 1, 2, 4))):
            if body:
                dice.choice(DAMAGES)(dice, body)
        return replace(good, body=bytes(body))
    if good.query and chance < 0.9:
        at = dice.randrange(len(good.query))
        query = list(good.query)
        query[at] = (query[at][0], text_damaged(dice, query[at][1]))
        return replace(good, query=tuple(query))
    if good.headers and chance < 0.3:
        at = dice.randrange(len(good.headers))
        headers = list(good.headers)
        headers[at] = (
            headers[at][0],
            text_damaged(dice, headers[at][1].decode("latin-1")).encode()[:4000],
        )
        return replace(good, headers=tuple(headers))
    # A word of the path that is not a name only shows that there is no such route.
    template = ROUTES[good.name][1].split("/") if good.name else []
    named = [n for n, part in enumerate(template[: len(good.parts)]) if part.startswith("{")]
    if not named and dice.random() < 0.9:
        return good
    at = dice.choice(named or range(1, len(good.parts)))
    parts = list(good.parts)
    parts[at] = text_damaged(dice, parts[at])
    return replace(good, parts=tuple(parts))


def text_damaged(dice: random.Random, text: str) -> str:
    if dice.random() < 0.4 or not text:
        return dice.choice(TOKENS)[:2000].decode("latin-1")
    body = bytearray(text.encode())
    dice.choice(DAMAGES[:5])(dice, body)
    return bytes(body[:2000]).decode("latin-1")


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
