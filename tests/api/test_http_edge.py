"""What every answer has, and what no request can do to us."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import httpx
import msgspec
import pytest
import structlog
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from doorstep import settings as settings_module
from doorstep.app import DOORS, create_app, openapi_document
from doorstep.core import blobs, health, limits
from doorstep.core import db as core_db
from doorstep.core import redis as core_redis
from doorstep.core.actor import Actor
from doorstep.core.auth.guard import RouteNotDeclared
from doorstep.core.auth.permissions import needs, public
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import Refusal
from doorstep.core.http.problems import problems
from doorstep.core.logging import HIDDEN, redact
from tests.support.access import Person

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


@get("/test/cached", operation_id="testCached", opt=OWN)
async def cached() -> Response[str]:
    """Answer a long page that may be cached."""
    return Response("<p>" * 1000, media_type="text/html", headers={"Cache-Control": "max-age=60"})


@get("/test/me", operation_id="testMe", opt=OWN)
async def me(actor: Actor) -> dict[str, str]:
    """Tell the request id that the actor carries."""
    return {"request_id": actor.request_id}


@pytest.fixture(scope="module")
def app() -> Any:
    return create_app(doors=[*DOORS, notes, refuse, fail, cached, me])


@pytest.fixture
async def headers(signed_in: Callable[[str], Awaitable[Person]]) -> dict[str, str]:
    return (await signed_in("admin")).headers


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


class TestProblems:
    async def test_a_refusal_has_its_facts_and_keeps_its_own_members(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        body = is_problem(await client.get("/test/refuse", headers=headers), 409, "out-of-paper")
        assert body["tray"] == 2
        assert (body["title"], body["detail"]) == ("The printer has no paper.", "Tray 2 is empty.")

    async def test_no_route_and_no_method(self, client: httpx.AsyncClient) -> None:
        is_problem(await client.get("/nowhere"), 404, "no-such-address")
        answer = await client.delete("/api/me")
        is_problem(answer, 405, "method-not-allowed")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "OPTIONS"}
        is_problem(await client.delete("/field/stops/no-id/pod"), 404, "no-such-address")

    async def test_no_token_and_wrong_token(self, client: httpx.AsyncClient) -> None:
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
        self,
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
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await client.post("/test/notes", json={"text": "a\\u0000"}, headers=headers)
        assert answer.status_code == 201
        assert answer.json()["text"] == "a\\u0000"

    async def test_the_fields_are_named(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await client.post("/test/notes", json={"text": 3}, headers=headers)
        body = is_problem(answer, 422, "invalid")
        assert body["errors"][0]["field"] == "text"
        assert "str" in body["errors"][0]["message"]

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/jsonp"])
    async def test_json_must_be_declared(
        self, client: httpx.AsyncClient, headers: dict[str, str], kind: str
    ) -> None:
        answer = await client.post(
            "/test/notes", content=b'{"text": "a"}', headers={**headers, "content-type": kind}
        )
        is_problem(answer, 415, "wrong-content-type")

    @pytest.mark.parametrize("path", ["/api/me?x=%00", "/api/%00", "/api/me%00"])
    async def test_no_nul_in_addresses(self, client: httpx.AsyncClient, path: str) -> None:
        is_problem(await client.get(path), 400, "malformed-request")

    @pytest.mark.parametrize("path", ["/api/people/%ff%fe/deactivate", "/api/people/1/deactivate"])
    async def test_no_broken_text_in_addresses(
        self, client: httpx.AsyncClient, headers: dict[str, str], path: str
    ) -> None:
        is_problem(await client.post(path, headers=headers), 404, "no-such-address")

    async def test_the_database_out_of_reach_says_when_to_come_again(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await client.get("/test/fail/database", headers=headers)
        is_problem(answer, 503, "database-unavailable")
        assert int(answer.headers["retry-after"]) > 0

    async def test_a_mistake_of_ours_tells_no_details(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/test/fail/bug", headers=headers)
        is_problem(answer, 500, "unexpected-error")
        assert "hunter2" not in answer.text
        assert [entry["event"] for entry in logs] == ["http.unexpected", "http.answered"]
        assert isinstance(logs[0]["exc_info"], RuntimeError)


class TestEdge:
    async def test_a_well_formed_request_id_is_taken_over(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await client.get("/test/me", headers={**headers, "X-Request-Id": "trace-12345"})
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == "trace-12345"

    @pytest.mark.parametrize("wrong", ["short", "x" * 65, "with space here", "a;b\tcdefgh"])
    async def test_any_other_gets_one_of_ours(self, client: httpx.AsyncClient, wrong: str) -> None:
        answer = await client.get("/health/live", headers={"X-Request-Id": wrong})
        assert answer.headers["x-request-id"] != wrong
        assert len(answer.headers["x-request-id"]) == 36

    async def test_answers_are_not_stored_unless_the_handler_says_so(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        assert (await client.get("/api/me", headers=headers)).headers["cache-control"] == "no-store"
        page = await client.get("/test/cached", headers=headers)
        assert page.headers.get_list("cache-control") == ["max-age=60"]
        assert "script-src 'self'" in page.headers["content-security-policy"]

    async def test_hsts_only_where_the_address_is_secure(
        self,
        client: httpx.AsyncClient,
        monkeypatch: pytest.MonkeyPatch,
        worker: object,
    ) -> None:
        assert "strict-transport-security" not in (await client.get("/health/live")).headers
        monkeypatch.setenv("PUBLIC_URL", "https://doorstep.example")
        settings_module.reload()
        try:
            secure = httpx.ASGITransport(app=create_app())
        finally:
            monkeypatch.undo()
            settings_module.reload()
        async with httpx.AsyncClient(transport=secure, base_url="https://d.test") as other:
            answer = await other.get("/health/live")
        assert "max-age=31536000" in answer.headers["strict-transport-security"]

    async def test_long_answers_are_compressed_and_short_ones_not(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        asked = {**headers, "Accept-Encoding": "br"}
        assert (await client.get("/test/cached", headers=asked)).headers["content-encoding"] == "br"
        assert "content-encoding" not in (await client.get("/test/me", headers=asked)).headers

    async def test_every_request_leaves_one_line_without_its_path(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        with structlog.testing.capture_logs() as logs:
            await client.get("/pictures/secret-token/large")
        (line,) = [entry for entry in logs if entry["event"] == "http.answered"]
        assert (line["operation"], line["method"]) == ("openPicture", "GET")
        assert "secret-token" not in json.dumps(line)

    def test_a_route_that_says_nothing_stops_the_start(self) -> None:
        @get("/test/open", operation_id="testOpen")
        async def undeclared() -> None: ...

        @get("/test/open", operation_id="testOpen", opt=public())
        async def not_listed() -> None: ...

        @get("/test/open", operation_id="testOpen", opt=needs("no:such:permission"))
        async def unknown() -> None: ...

        for handler in (undeclared, not_listed, unknown):
            with pytest.raises(RouteNotDeclared):
                create_app(doors=[handler])


class TestRedaction:
    SECRETS = (
        "dst_" + "a" * 43,
        "Bearer abc.def-123",
        "+971501234567",
        "+971 50 123 4567",
        "4111 1111 1111 1111",
        "4111111111111111",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    )

    @pytest.mark.parametrize("secret", SECRETS)
    def test_secrets_are_hidden_in_any_text(self, secret: str) -> None:
        shown = redact({"event": f"x {secret} y", "deep": [{"traceback": f"'{secret}'"}]})
        assert secret.removeprefix("Bearer ") not in json.dumps(shown)

    @pytest.mark.parametrize(
        "name",
        ["password", "pin", "access_token", "otp", "handover_code", "phone", "secret_key"],
    )
    def test_secrets_are_hidden_by_name(self, name: str) -> None:
        assert redact({name: "x", "kind": "y"}) == {name: HIDDEN, "kind": "y"}

    @pytest.mark.parametrize(
        "harmless",
        ["DS-000001", "019a2b3c-4d5e-7f60-8123-456789abcdef", "2026-11-23T06:38:00.123Z", "100001"],
    )
    def test_what_support_needs_stays(self, harmless: str) -> None:
        assert redact({"order": harmless, "stage": 1009}) == {"order": harmless, "stage": 1009}


class TestHealthAndMetrics:
    @pytest.fixture(autouse=True)
    async def _blobs(self, tmp_path: Any) -> AsyncIterator[None]:
        await blobs.start(f"file://{tmp_path}/blobs")
        yield
        await blobs.stop()

    async def test_alive(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/health/live")).json() == {"status": "live"}

    async def test_ready_when_every_part_works(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "database": "ok",
            "blobs": "ok",
            "redis": "ok",
            "queue": "ok",
            "queue_lag_seconds": 0.0,
        }

    async def test_not_ready_without_the_file_store(self, client: httpx.AsyncClient) -> None:
        await blobs.stop()
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["blobs"]) == (503, "failed")

    async def test_degraded_but_ready_when_the_queue_stands_still(
        self, client: httpx.AsyncClient
    ) -> None:
        await core_db.execute(
            "INSERT INTO outbox (id, kind, payload, next_at)"
            " VALUES (uuidv7(), 'test.nothing', '{}', now() - interval '10 minutes')"
        )
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["queue"]) == ("degraded", "failed")
        numbers = (await client.get("/metrics")).text
        assert "doorstep_outbox_due 1.0" in numbers
        assert "doorstep_outbox_lag_seconds 600" in numbers

    async def test_degraded_but_ready_without_redis(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def silent() -> bool:
            return False

        monkeypatch.setattr(limits, "ping", silent)
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["redis"]) == (200, "failed")

    async def test_a_flood_of_questions_is_one_check(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checks = 0
        real = blobs.self_test

        async def counted() -> None:
            nonlocal checks
            checks += 1
            await real()

        monkeypatch.setattr(blobs, "self_test", counted)
        health.forget_last_check()
        for _ in range(10):
            await client.get("/health/ready")
        assert checks == 1

    async def test_requests_are_counted_by_operation_and_status(
        self, client: httpx.AsyncClient
    ) -> None:
        await client.get("/api/me")
        numbers = (await client.get("/metrics")).text
        assert 'doorstep_request_seconds_count{operation="readMe",status="401"}' in numbers
        assert 'doorstep_pool_connections{state="idle"}' in numbers

    async def test_metrics_are_for_this_machine_or_the_token_only(
        self, app: Any, db: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        far = httpx.ASGITransport(app=app, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=far, base_url="http://d.test") as other:
            assert (await other.get("/metrics")).status_code == 404
            monkeypatch.setenv("METRICS_TOKEN", "numbers")
            settings_module.reload()
            try:
                for token, status in (("wrong", 404), ("numbers", 200)):
                    answer = await other.get(
                        "/metrics", headers={"Authorization": f"Bearer {token}"}
                    )
                    assert answer.status_code == status
            finally:
                monkeypatch.undo()
                settings_module.reload()
        await core_redis.stop()


class TestDescription:
    def test_every_operation_declares_its_problems(self) -> None:
        document = openapi_document()
        assert document["openapi"] == "3.1.0"
        operations = [
            operation for path in document["paths"].values() for operation in path.values()
        ]
        assert len(operations) > 10
        for operation in operations:
            for status, declared in operation["responses"].items():
                if int(status) >= 400:
                    assert list(declared["content"]) == ["application/problem+json"], operation
            assert {"400", "500", "503"} <= set(operation["responses"])

    def test_only_public_operations_need_no_token(self) -> None:
        paths = openapi_document()["paths"]
        assert paths["/api/me"]["get"]["security"] == [{"bearer": []}]
        assert "security" not in paths["/api/sign-in"]["post"]
