"""One whole Doorstep for the tests of this folder, and another one with the field app of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Playwright, async_playwright
from redis.asyncio import Redis

from doorstep.doors.track import page_events
from tests.contract.served import served
from tests.factories.company import Company, open_company, the_app
from tests.support.field_app import build
from tests.support.whole_stack import WholeStack, whole_stack


@pytest.fixture(scope="session")
async def _whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeStack]:
    async with whole_stack(tmp_path_factory.mktemp("whole"), fsync=False) as running:
        yield running


@pytest.fixture
async def stack(_whole: WholeStack) -> WholeStack:
    """API, worker and sandbox on servers of their own, started once.

    Every test enrols the same people from the same address: what the rate limits remember of the
    test before is forgotten, as anything in Redis may be.
    """
    async with Redis(unix_socket_path=str(_whole.embedded.redis.socket)) as client:
        await client.flushall()
    return _whole


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `field_stack` takes the app from; a test may build another version over it."""
    folder = tmp_path_factory.mktemp("app") / "field"
    build(folder, "1")
    return folder


@pytest.fixture(scope="session")
async def field_stack(
    app: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WholeStack]:
    """A stack that serves an app with a page for tests."""
    folder = tmp_path_factory.mktemp("field")
    async with whole_stack(folder, fsync=False, FIELD_APP_PATH=str(app)) as running:
        yield running


@pytest.fixture
async def own(field_stack: WholeStack) -> WholeStack:
    """The same; what its rate limits remember of the test before is forgotten."""
    async with Redis(unix_socket_path=str(field_stack.embedded.redis.socket)) as client:
        await client.flushall()
    return field_stack


@pytest.fixture
async def alone(app: Path, tmp_path: Path) -> AsyncIterator[WholeStack]:
    """A company of this test alone: nobody else leaves jobs or proofs on its phones."""
    async with whole_stack(tmp_path / "own", fsync=False, FIELD_APP_PATH=str(app)) as running:
        yield running


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    """What drives Chromium."""
    async with async_playwright() as started:
        yield started


@pytest.fixture
async def company(db: Any, redis: Redis, tmp_path: Path) -> AsyncIterator[Company]:
    async with open_company(tmp_path / "company") as opened:
        yield opened


@pytest.fixture
async def base(company: Company, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Where this process serves the company's doors."""
    monkeypatch.setattr(page_events, "EVERY_S", 0.2)
    page_events.begin_anew()
    async with served(the_app(), lifespan="off") as url:
        yield url
    page_events.begin_anew()
