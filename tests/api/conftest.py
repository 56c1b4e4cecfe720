"""The application without a server in between, people signed in to it, and a whole company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from doorstep import settings
from doorstep.app import create_app
from doorstep.core import health, limits
from doorstep.core import redis as core_redis
from doorstep.core.auth import service
from doorstep.core.outbox import bell
from tests.factories.care import reacting
from tests.factories.company import Company, open_company, the_app
from tests.support.access import Person, enter
from tests.support.visitor import Visitor, browser


@pytest.fixture(scope="session")
def app() -> Litestar:
    """The whole application; the fixtures open what its lifespan would."""
    return create_app()


@pytest.fixture
async def client(app: Litestar, db: object, redis: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls the application directly, from 127.0.0.1."""
    health.forget_last_check()
    limits.forget_outage()
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorstep.test") as given:
        yield given
    await bell.rest()
    await core_redis.stop()


@pytest.fixture
def signed_in(db: object) -> Callable[..., Awaitable[Person]]:
    """Make a person of a role who is signed in as that role does: `await signed_in("courier")`."""
    return enter


@pytest.fixture
async def headers(db: object) -> dict[str, str]:
    """What every request of an admin carries."""
    return (await enter("admin")).headers


@pytest.fixture
async def shop(db: object) -> service.IntegrationToken:
    """The long-lived token of a shop that acts as sales."""
    person_id: UUID = await service.create_person(role="sales", name="The shop")
    return await service.issue_integration_token(person_id, "shop")


@pytest.fixture
def oldest_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set the oldest version of the field app that may sync."""

    def name(version: str) -> None:
        monkeypatch.setenv("FIELD_APP_OLDEST", version)
        settings.reload()

    yield name
    monkeypatch.undo()
    settings.reload()


@pytest.fixture
async def company(db: object, redis: object, tmp_path: Path) -> AsyncIterator[Company]:
    """Everybody signed in, every reaction and job bound, the bank and the messenger doubles."""
    async with open_company(tmp_path) as opened:
        yield opened


@pytest.fixture
async def visitor(db: object, redis: object) -> AsyncIterator[Visitor]:
    """A browser at the customer's page; only crm and messages react to what happens."""
    # Made first: an application binds every reaction.
    app = the_app()
    with reacting():
        async with browser(app) as one:
            yield one


@pytest.fixture
async def old(company: Company) -> AsyncIterator[Visitor]:
    """Whoever gives a warranty away."""
    async with browser() as one:
        yield one


@pytest.fixture
async def owner(company: Company) -> AsyncIterator[Visitor]:
    """Whoever has it then, at an address of his own."""
    async with browser(client=("127.0.0.9", 50000)) as one:
        yield one
