"""What every answer has: its headers, its request id, its size, and its line in the log."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import structlog
from litestar import Response, get

from doorstep import settings as settings_module
from doorstep.app import DOORS, create_app
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs

OWN = needs("access:session:own")


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
    return create_app(doors=[*DOORS, cached, me])


async def test_a_well_formed_request_id_is_taken_over(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/test/me", headers={**headers, "X-Request-Id": "trace-12345"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "trace-12345"


@pytest.mark.parametrize("wrong", ["short", "x" * 65, "with space here", "a;b\tcdefgh"])
async def test_any_other_gets_one_of_ours(client: httpx.AsyncClient, wrong: str) -> None:
    answer = await client.get("/health/live", headers={"X-Request-Id": wrong})
    assert answer.headers["x-request-id"] != wrong
    assert len(answer.headers["x-request-id"]) == 36


async def test_answers_are_not_stored_unless_the_handler_says_so(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get("/api/me", headers=headers)).headers["cache-control"] == "no-store"
    page = await client.get("/test/cached", headers=headers)
    assert page.headers.get_list("cache-control") == ["max-age=60"]
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_hsts_only_where_the_address_is_secure(
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
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    asked = {**headers, "Accept-Encoding": "br"}
    assert (await client.get("/test/cached", headers=asked)).headers["content-encoding"] == "br"
    assert "content-encoding" not in (await client.get("/test/me", headers=asked)).headers


async def test_every_request_leaves_one_line_without_its_path(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.get("/pictures/secret-token/large")
    (line,) = [entry for entry in logs if entry["event"] == "http.answered"]
    assert (line["operation"], line["method"]) == ("openPicture", "GET")
    assert "secret-token" not in json.dumps(line)
