"""What the machines around us ask: are we alive, are we ready, and our numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from doorstep import settings as settings_module
from doorstep.core import blobs, health, limits
from doorstep.core import db as core_db
from doorstep.core import redis as core_redis


@pytest.fixture(autouse=True)
async def _blobs(tmp_path: Any) -> AsyncIterator[None]:
    await blobs.start(f"file://{tmp_path}/blobs")
    yield
    await blobs.stop()


async def test_alive(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_ready_when_every_part_works(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "database": "ok",
        "blobs": "ok",
        "redis": "ok",
        "queue": "ok",
        "queue_lag_seconds": 0.0,
        "push": "off",
    }


async def test_not_ready_without_the_file_store(client: httpx.AsyncClient) -> None:
    await blobs.stop()
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["blobs"]) == (503, "failed")


async def test_degraded_but_ready_when_the_queue_stands_still(client: httpx.AsyncClient) -> None:
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
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> bool:
        return False

    monkeypatch.setattr(limits, "ping", silent)
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["redis"]) == (200, "failed")


async def test_a_flood_of_questions_is_one_check(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
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


async def test_requests_are_counted_by_operation_and_status(client: httpx.AsyncClient) -> None:
    await client.get("/api/me")
    numbers = (await client.get("/metrics")).text
    assert 'doorstep_request_seconds_count{operation="readMe",status="401"}' in numbers
    assert 'doorstep_pool_connections{state="idle"}' in numbers


async def test_metrics_are_for_this_machine_or_the_token_only(
    app: Any, db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = httpx.ASGITransport(app=app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://d.test") as other:
        assert (await other.get("/metrics")).status_code == 404
        monkeypatch.setenv("METRICS_TOKEN", "numbers")
        settings_module.reload()
        try:
            for token, status in (("wrong", 404), ("numbers", 200)):
                answer = await other.get("/metrics", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == status
        finally:
            monkeypatch.undo()
            settings_module.reload()
    await core_redis.stop()
