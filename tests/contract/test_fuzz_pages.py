"""The forms of the customer's pages, filled in as nobody should: each answer is a page, nothing breaks.

They are in no API description, so they are made from what each form takes; half of them are what a
form allows. A new form is tried without a line here.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.contract.fuzzing import SECONDS, all_is_well
from tests.contract.routes import ROUTES
from tests.factories.at_the_page import at_page
from tests.factories.claiming import done
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.owners import given as given_away
from tests.factories.owners import owner_opens, owner_signs_in
from tests.support.pictures import make_jpeg
from tests.support.visitor import OWN_PAGE, Visitor, browser

EACH, MANY = 12, 300
"""Bodies that each form is sent."""

NASTY = (
    "", " ", "\x00", "0", "-1", "9" * 400, "\u0663", "x" * 5_000, "\u202e\u2066", "'; --", "{{ 7 * 7 }}",
    "2026-02-30", "0001-01-01T00:00:00-14:00", "9999-12-31T23:59:59+14:00", "2026-11-26T10:00:00+99:99",
    "NaN", "call", "yes", "\ufffe", "A" * 40, str(uuid4()),
)  # fmt: skip
PHOTOS = (
    ("", b"", "application/octet-stream"),
    ("a.jpg", make_jpeg(320, 240), "image/jpeg"),
    ("a.jpg", b"\xff\xd8\xff no picture", "image/jpeg"),
    ("../../a\x00.svg", b"<svg onload='x'/>", "image/svg+xml"),
    ("a.jpg", b"", "image/jpeg"),
)
LAST = ("signOut", "askForErasure")
"""Of these what follows would find nothing any more."""

FORMS = sorted(
    (
        (name, path, handler)
        for name, (method, path, handler) in ROUTES.items()
        if method == "POST" and path.startswith("/t/")
    ),
    key=lambda one: (one[0].startswith(LAST), one[0]),
)


async def test_no_form_breaks_by_what_is_typed(company: Company) -> None:
    await fuzz(company, EACH, number=31)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
async def test_many_forms(company: Company, part: int) -> None:
    await fuzz(company, MANY, number=40 + part)


async def fuzz(company: Company, each: int, *, number: int) -> None:
    """Send each form so many bodies, by somebody who has signed in at two orders and a warranty."""
    dice, told = random.Random(number), Counter[int]()
    async with browser() as visitor, browser(client=("127.0.0.9", 50000)) as owner:
        there = await _opened(company, visitor, owner)
        for name, path, handler in FORMS:
            fields = _fields(handler)
            for body in _bodies(fields, each, number):
                who = owner if "/owners/" in path else visitor
                address = _address(dice, path, there)
                began = time.monotonic()
                answer = await _sent(who, dice, address, body, fields)
                about = (name, address, body, answer.status_code, answer.text[:300])
                assert answer.status_code < 500, about
                assert time.monotonic() - began < SECONDS, about
                if answer.status_code >= 400:
                    assert answer.headers["content-type"].startswith("text/html"), about
                    assert "Traceback" not in answer.text, about
                told[answer.status_code] += 1
    # A fuzz that is always refused, or never, would prove nothing.
    assert told[303] > each // 3 and told[422] > each, told
    await all_is_well(company)


async def _opened(company: Company, visitor: Visitor, owner: Visitor) -> dict[str, list[str]]:
    """Have an order under way, one that is done and a warranty that was given on; tell their numbers."""
    under_way, finished = await standing(company, 1010), await done(company)
    for order in (under_way, finished):
        address = await at_page(visitor, order)
    _, piece = await given_away(visitor, finished, address)
    own = await owner_opens(owner)
    await owner_signs_in(owner, own)
    return {"orders": [under_way.number, finished.number], "pieces": [piece]}


def _fields(handler: Any) -> dict[str, Any]:
    """Tell what a form takes, by the schema of its fields; nothing where it takes none."""
    data = get_type_hints(handler.fn, include_extras=True).get("data")
    if data is None:
        return {}
    struct = get_args(data)[0]
    schema = msgspec.json.schema(struct)
    defs = schema["$defs"]
    fields: dict[str, Any] = dict(defs[struct.__name__]["properties"])
    return {name: one | {"$defs": defs} for name, one in fields.items()}


def _allowed(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a field may be, as far as the schemas of our forms say it."""
    defs = schema.get("$defs", {})
    if "$ref" in schema:
        return _allowed(defs[schema["$ref"].rsplit("/", 1)[1]] | {"$defs": defs})
    if "anyOf" in schema:
        return st.one_of([_allowed(one | {"$defs": defs}) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(_allowed(schema["items"] | {"$defs": defs}), max_size=3)
    if schema["type"] == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if schema["type"] == "null":
        return st.none()
    assert schema["type"] == "string", schema
    most = schema.get("maxLength", 100)
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str)
        case "date":
            return st.dates().map(str)
        case "date-time":
            return st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"]).map(lambda text: text[:most])
    return st.text(max_size=most)


def _bodies(fields: dict[str, Any], most: int, number: int) -> list[dict[str, Any]]:
    """Fill the form in so many times, without sending it: our doors answer on another loop."""
    made: list[dict[str, Any]] = []
    allowed = {name: _allowed(one) for name, one in fields.items() if name != "photos"}

    @seed(number)
    @settings(
        max_examples=most, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.fixed_dictionaries(allowed))
    def collect(values: dict[str, Any]) -> None:
        made.append(values)

    collect()
    dice = random.Random(number)
    return [_spoilt(dice, one) if dice.random() < 0.5 else _whole(one) for one in made]


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not ticked, as browsers do."""
    return {name: value for name, value in body.items() if value is not None}


def _spoilt(dice: random.Random, body: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if dice.random() < 0.6 else dice.choice(NASTY)
        for name, value in _whole(body).items()
        if dice.random() < 0.9
    }


def _address(dice: random.Random, path: str, there: dict[str, list[str]]) -> str:
    """Fill in what the address names, mostly with what exists."""
    numbers = there["pieces"] if "/owners/" in path or "/certificates/" in path else there["orders"]
    known = {"number": numbers, "piece": there["pieces"], "parcel": ["1", "1", "1", "2", "0"],
             "which": ["delivery", "visit"]}  # fmt: skip

    def part(match: re.Match[str]) -> str:
        # What is no number leads to no page at all (test_route_matrix.py).
        if match[1] != "parcel" and dice.random() < 0.03:
            return dice.choice(("0", "-1", "%C3%A4", "x" * 300, "..;"))
        return dice.choice(known[match[1]])

    language = dice.choice(("", "?lang=ar", "?lang=hi", "?lang=xx"))
    return re.sub(r"{(\w+)}", part, path) + language


async def _sent(
    who: Visitor, dice: random.Random, address: str, body: dict[str, Any], fields: dict[str, Any]
) -> httpx.Response:
    typed = {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in body.items()
    }
    files = None
    if "photos" in fields:
        files = [("photos", dice.choice(PHOTOS)) for _ in range(dice.choice((1, 1, 2, 9)))]
    return await who.http.post(address, data=typed, files=files, headers=OWN_PAGE)
