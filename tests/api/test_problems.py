"""Every refusal is a problem of the same shape, whatever a request brings."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import msgspec
import pytest
import structlog
from litestar import get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from doorstep.app import DOORS, create_app
from doorstep.core import db as core_db
from doorstep.core.auth.permissions import needs
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import Refusal
from doorstep.core.http.problems import problems

OWN = needs("access:session:own")

SECURITY_HEADERS = (
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "x-request-id",
)


class OutOfPaper(Refusal):
    """A refusal of this test."""

    title = "The printer has no paper."


class Note(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body of this test; `number` has no bounds, as no schema of ours should have it."""

    text: Annotated[str, Meta(max_length=20)]
    number: int = 0
    inner: Any = None


@post("/test/notes", operation_id="testNotes", opt=OWN)
async def notes(data: JSONBody[Note]) -> dict[str, Any]:
    """Store what was sent, as text and as number."""
    statement = "SELECT $1::text AS text, $2::bigint AS number"
    return await core_db.one(statement, data.text, data.number)


@get("/test/refuse", operation_id="testRefuse", opt=OWN, responses=problems(OutOfPaper))
async def refuse() -> None:
    """Refuse with facts."""
    raise OutOfPaper("Tray 2 is empty.", tray=2, title="not overwritten")


@get("/test/fail/{kind:str}", operation_id="testFail", opt=OWN)
async def fail(kind: FromPath[str]) -> None:
    """Fail in the way that is asked for."""
    if kind == "database":
        raise DatabaseUnavailable("connection refused at 10.0.0.7")
    raise RuntimeError("password of the database is hunter2")


@pytest.fixture(scope="module")
def app() -> Any:
    return create_app(doors=[*DOORS, notes, refuse, fail])


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{kind}"
    assert body["status"] == status
    assert body["title"] and body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    for name in SECURITY_HEADERS:
        assert name in answer.headers
    return body


async def test_a_refusal_has_its_facts_and_keeps_its_own_members(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    body = is_problem(await client.get("/test/refuse", headers=headers), 409, "out-of-paper")
    assert body["tray"] == 2
    assert (body["title"], body["detail"]) == ("The printer has no paper.", "Tray 2 is empty.")


async def test_no_route_and_no_method(client: httpx.AsyncClient) -> None:
    is_problem(await client.get("/nowhere"), 404, "no-such-address")
    answer = await client.delete("/api/me")
    is_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "OPTIONS"}
    is_problem(await client.delete("/field/stops/no-id/pod"), 404, "no-such-address")


async def test_no_token_and_wrong_token(client: httpx.AsyncClient) -> None:
    for given in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer dst_x"}):
        answer = await client.get("/api/me", headers=given)
        is_problem(answer, 401, "not-signed-in")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b'{"text": ', 400, "malformed-request"),
        (b'{"text": "\xff\xfe"}', 400, "malformed-request"),
        (b'{"text": "\xed\xa0\x80"}', 400, "malformed-request"),
        (b'{"text": "a", "inner": ' + b"[" * 100_000, 400, "malformed-request"),
        (b'{"text": "a\\u0000b"}', 400, "malformed-request"),
        (b'{"text": "a\\\\\\u0000b"}', 400, "malformed-request"),
        (b'{"text": "a\x00b"}', 400, "malformed-request"),
        (b'{"text": "a", "number": 1180591620717411303424}', 422, "value-out-of-range"),
        (b'{"text": "a", "number": 9223372036854775808}', 422, "value-out-of-range"),
        (b'{"text": "a", "number": 1e400}', 400, "malformed-request"),
        (b'{"text": "a", "role": "admin"}', 422, "invalid"),
        (b'{"text": "' + b"a" * 21 + b'"}', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'{"text": "' + b"a" * 300_000 + b'"}', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_bodies_that_are_not_what_they_should_be(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    content: bytes,
    status: int,
    kind: str,
) -> None:
    answer = await client.post(
        "/test/notes", content=content, headers={**headers, "content-type": "application/json"}
    )
    is_problem(answer, status, kind)


async def test_escaped_backslashes_before_u0000_are_text(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/test/notes", json={"text": "a\\u0000"}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["text"] == "a\\u0000"


async def test_the_fields_are_named(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/test/notes", json={"text": 3}, headers=headers)
    body = is_problem(answer, 422, "invalid")
    assert body["errors"][0]["field"] == "text"
    assert "str" in body["errors"][0]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/jsonp"])
async def test_json_must_be_declared(
    client: httpx.AsyncClient, headers: dict[str, str], kind: str
) -> None:
    answer = await client.post(
        "/test/notes", content=b'{"text": "a"}', headers={**headers, "content-type": kind}
    )
    is_problem(answer, 415, "wrong-content-type")


@pytest.mark.parametrize("path", ["/api/me?x=%00", "/api/%00", "/api/me%00"])
async def test_no_nul_in_addresses(client: httpx.AsyncClient, path: str) -> None:
    is_problem(await client.get(path), 400, "malformed-request")


@pytest.mark.parametrize("path", ["/api/people/%ff%fe/deactivate", "/api/people/1/deactivate"])
async def test_no_broken_text_in_addresses(
    client: httpx.AsyncClient, headers: dict[str, str], path: str
) -> None:
    is_problem(await client.post(path, headers=headers), 404, "no-such-address")


async def test_the_database_out_of_reach_says_when_to_come_again(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/test/fail/database", headers=headers)
    is_problem(answer, 503, "database-unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_mistake_of_ours_tells_no_details(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/test/fail/bug", headers=headers)
    is_problem(answer, 500, "unexpected-error")
    assert "hunter2" not in answer.text
    assert [entry["event"] for entry in logs] == ["http.unexpected", "http.answered"]
    assert isinstance(logs[0]["exc_info"], RuntimeError)
