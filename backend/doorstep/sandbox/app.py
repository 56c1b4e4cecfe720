"""The sandbox's HTTP application: `uvicorn doorstep.sandbox.app:create_app --factory`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from litestar import Litestar, delete, get, post
from litestar.di import Provide
from litestar.params import JSONBody
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from litestar.types import ASGIApp

from doorstep.core import clock
from doorstep.sandbox import bank, carrier, gateway, messaging, providers, push, shop_routes
from doorstep.sandbox.faults import Fault, FaultyAnswers
from doorstep.sandbox.world import Here, build_world
from doorstep.settings import Settings, settings


class State(msgspec.Struct):
    """Whether the pretend world has said everything it has to say."""

    status: str
    webhooks_waiting: int


@post("/_faults", status_code=HTTP_201_CREATED)
async def add_fault(world: Here, data: JSONBody[Fault]) -> list[Fault]:
    """Make a system misbehave from now on."""
    world.faults.add(data)
    return world.faults.all()


@get("/_faults")
async def list_faults(world: Here) -> list[Fault]:
    """List the faults and how often each has struck."""
    return world.faults.all()


@delete("/_faults", status_code=HTTP_204_NO_CONTENT)
async def clear_faults(world: Here) -> None:
    """Make every system behave again."""
    world.faults.clear()


@get("/_state")
async def read_state(world: Here) -> State:
    """Tell that the sandbox is up, and how many webhooks are still on their way."""
    return State(status="up", webhooks_waiting=world.hooks.waiting())


ROUTES = [
    add_fault,
    list_faults,
    clear_faults,
    read_state,
    *shop_routes.ROUTES,
    *gateway.ROUTES,
    *carrier.ROUTES,
    *bank.ROUTES,
    *messaging.ROUTES,
    *providers.ROUTES,
    *push.ROUTES,
]


def create_app(own_settings: Settings | None = None, *, settle_seconds: float = 0.3) -> Litestar:
    """Open the pretend world with the secrets of the settings; payouts settle after a moment."""
    given = own_settings or settings()
    clock.start(given)
    world = build_world(given, settle_seconds=settle_seconds)

    @asynccontextmanager
    async def alive(_app: Litestar) -> AsyncIterator[None]:
        async with world.hooks.delivering():
            yield
        world.store.close()

    def faulty(app: ASGIApp) -> ASGIApp:
        return FaultyAnswers(app, world.faults)

    return Litestar(
        route_handlers=ROUTES,
        dependencies={"world": Provide(lambda: world, sync_to_thread=False)},
        lifespan=[alive],
        middleware=[faulty],
        openapi_config=None,
    )
