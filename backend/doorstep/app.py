"""The HTTP application: every door, the guard before them, and what must be open while it runs."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.exceptions.base_exceptions import LitestarDeprecationWarning
from litestar.types import ControllerRouterHandler

from doorstep import journey, ports
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.clickpost import ClickPostHook
from doorstep.adapters.messengers import configured_hooks
from doorstep.adapters.razorpayx import RazorpayXHook
from doorstep.adapters.web_push import WebPush
from doorstep.core import blobs, clock, db_engine, failpoints, health, logging, metrics, redis
from doorstep.core.auth import tokens
from doorstep.core.auth.guard import admit, check_routes, handlers_of, provide_actor
from doorstep.core.http import errors, openapi
from doorstep.core.http.edge import Edge
from doorstep.core.http.request import JSON_BODY_LIMIT, DoorstepRequest
from doorstep.doors import uploads
from doorstep.doors.access import routes as access
from doorstep.doors.api import orders
from doorstep.doors.console import addresses as console_addresses
from doorstep.doors.console import (
    approvals,
    bins,
    captures,
    closing,
    contact_preferences,
    detours,
    erasures,
    escalations,
    field_words,
    finance,
    fleet,
    message_rules,
    message_templates,
    pictures,
    problems,
    ratings,
    sync_health,
    tickets,
    windows,
)
from doorstep.doors.console import arrivals as console_arrivals
from doorstep.doors.console import availability as console_availability
from doorstep.doors.console import delivery_slots as console_slots
from doorstep.doors.console import earnings as console_earnings
from doorstep.doors.console import extras as console_extras
from doorstep.doors.console import manuals as console_manuals
from doorstep.doors.console import offers as console_offers
from doorstep.doors.console import places as console_places
from doorstep.doors.console import receipts as console_receipts
from doorstep.doors.console import runs as console_runs
from doorstep.doors.console import stock as console_stock
from doorstep.doors.console import visits as console_visits
from doorstep.doors.field import app as field_app
from doorstep.doors.field import (
    cargo,
    claim_photos,
    day,
    door_links,
    earnings,
    extras,
    manuals,
    offers,
    pieces,
    places,
    pods,
    pull,
    push,
    receiving,
    returning,
    runs,
    said,
    scans,
    shift,
    shifts,
    surrendered_pictures,
    sync,
    visits,
    waiting,
    warehouse,
    words,
    work_day,
)
from doorstep.doors.field import stock as field_stock
from doorstep.doors.hooks import messages as message_hooks
from doorstep.doors.hooks import routes as hooks
from doorstep.doors.operations import routes as operations
from doorstep.doors.track import (
    page,
    page_answers,
    page_choices,
    page_door,
    page_events,
    page_files,
    page_forms,
    page_owner,
    page_owner_steps,
    page_privacy,
    page_returns,
    page_tells,
    page_transfer,
    page_warranty,
    page_wishes,
    verify,
)
from doorstep.doors.track import routes as track
from doorstep.doors.vendor import routes as vendor
from doorstep.flows.reactions import REACTIONS
from doorstep.settings import settings

DOORS: Sequence[ControllerRouterHandler] = [
    *health.handlers,
    *metrics.handlers,
    *access.handlers,
    *uploads.handlers,
    *hooks.ROUTES,
    *message_hooks.ROUTES,
    *track.handlers,
    *page.handlers,
    *verify.handlers,
    *page_forms.handlers,
    *page_choices.handlers,
    *page_door.handlers,
    *page_tells.handlers,
    *page_transfer.handlers,
    *page_owner.handlers,
    *page_owner_steps.handlers,
    *page_warranty.handlers,
    *page_wishes.handlers,
    *page_privacy.handlers,
    *page_returns.handlers,
    *page_events.handlers,
    *page_files.handlers,
    *orders.handlers,
    *warehouse.handlers,
    *receiving.handlers,
    *returning.handlers,
    *field_stock.handlers,
    *shift.handlers,
    *scans.handlers,
    *offers.handlers,
    *runs.handlers,
    *cargo.handlers,
    *day.handlers,
    *pieces.handlers,
    *waiting.handlers,
    *shifts.handlers,
    *pods.handlers,
    *visits.handlers,
    *claim_photos.handlers,
    *earnings.handlers,
    *door_links.handlers,
    *extras.handlers,
    *manuals.handlers,
    *words.handlers,
    *said.handlers,
    *work_day.handlers,
    *sync.handlers,
    *surrendered_pictures.handlers,
    *places.handlers,
    *field_app.handlers,
    *pull.handlers,
    *push.handlers,
    *console_arrivals.handlers,
    *console_availability.handlers,
    *console_stock.handlers,
    *console_runs.handlers,
    *console_offers.handlers,
    *windows.handlers,
    *bins.handlers,
    *console_slots.handlers,
    *fleet.handlers,
    *console_visits.handlers,
    *console_earnings.handlers,
    *console_extras.handlers,
    *console_manuals.handlers,
    *message_templates.handlers,
    *message_rules.handlers,
    *erasures.handlers,
    *contact_preferences.handlers,
    *console_addresses.handlers,
    *console_receipts.handlers,
    *detours.handlers,
    *finance.handlers,
    *approvals.handlers,
    *pictures.handlers,
    *sync_health.handlers,
    *console_places.handlers,
    *captures.handlers,
    *problems.handlers,
    *field_words.handlers,
    *ratings.handlers,
    *escalations.handlers,
    *tickets.handlers,
    *closing.handlers,
    *vendor.handlers,
    *operations.ROUTES,
]
"""Every route there is."""

MARKERS_WANTED = r".*(Inferred dependency field|Reserved kwarg|deprecated inferred style)"


@asynccontextmanager
async def _open(_app: Litestar) -> AsyncIterator[None]:
    """Open what the process needs, and close it in reverse order, whatever happens."""
    given = settings()
    failpoints.start(given)
    clock.start(given)
    tokens.secret_key()
    logging.configure(as_json=given.log_json, level=given.log_level)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(db_engine.stop)
        await db_engine.start(
            given.database_url,
            pool_size=given.db_pool_size,
            command_timeout=given.db_command_timeout,
        )
        opened.push_async_callback(redis.stop)
        opened.push_async_callback(blobs.stop)
        await blobs.start(given.blob_url)
        opened.enter_context(page_events.ending_with_the_process())
        yield


def create_app(
    *, documented: bool = False, doors: Sequence[ControllerRouterHandler] = DOORS
) -> Litestar:
    """Build the application; nothing is connected before its lifespan begins.

    `documented` adds the OpenAPI description (`doorstep schema`); a serving process has no route
    for it.

    Raises: RouteNotDeclared for a route that does not say who may call it.
    """
    journey.bind(REACTIONS)
    # Of the adapters a request needs only those that read webhooks, and the one that knows which
    # push services there are; the others are the worker's.
    ports.bind(
        pusher=WebPush.configured(),
        checkout=CheckoutHook.configured(),
        clickpost=ClickPostHook.configured(),
        bank_hook=RazorpayXHook.configured(),
        message_hooks=configured_hooks(),
    )
    with warnings.catch_warnings():
        # Litestar 3.0 will want a marker on every parameter of a handler. With 2.25, which is
        # pinned, the plain style means the same and reads better.
        warnings.filterwarnings("ignore", MARKERS_WANTED, LitestarDeprecationWarning)
        app = _litestar(doors, documented=documented)
    if not documented:
        check_routes(app)
    for _method, path, handler in handlers_of(app):
        openapi.declare_common(handler, path=path)
    # Around everything, so that 404, 405 and broken requests have their headers too.
    app.asgi_handler = Edge(app.asgi_handler, secure=settings().public_url.startswith("https:"))
    return app


def _litestar(doors: Sequence[ControllerRouterHandler], *, documented: bool) -> Litestar:
    return Litestar(
        route_handlers=doors,
        lifespan=[_open],
        guards=[admit],
        dependencies={"actor": Provide(provide_actor, sync_to_thread=False)},
        exception_handlers={**errors.HANDLERS, NotFoundException: page_answers.nothing_here},
        request_class=DoorstepRequest,
        request_max_body_size=JSON_BODY_LIMIT,
        compression_config=CompressionConfig(
            backend="brotli",
            minimum_size=1024,
            brotli_quality=4,
            brotli_gzip_fallback=False,
            # A stream would wait in the compressor until it is over.
            exclude_opt_key="uncompressed",
        ),
        openapi_config=openapi.config(version("doorstep")) if documented else None,
        logging_config=None,
    )


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI description of every route (api_schema/openapi.json)."""
    return create_app(documented=True).openapi_schema.to_schema()
