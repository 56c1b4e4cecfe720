"""The guard at the application's door: nobody passes a route that says nothing about who may.

It runs before the body is read. One statement tells who comes; a limit, where the route names a
class, costs one round trip to Redis. No transaction is opened here.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import SkipValidation
from litestar.routes import HTTPRoute
from litestar.types import Scope

from doorstep.core import limits
from doorstep.core.actor import Actor
from doorstep.core.auth.errors import DeviceHandsInOnly
from doorstep.core.auth.permissions import PERMISSIONS, PUBLIC, may
from doorstep.core.auth.sessions import find_session
from doorstep.core.errors import NotAllowed
from doorstep.core.http.problems import NotSignedIn
from doorstep.core.logging import REQUEST_ID

BEARER = b"bearer "
ONE_HOUSEHOLD = 64
"""Leading bits of an IPv6 address that belong to one customer of a provider."""


class RouteNotDeclared(RuntimeError):
    """A route names no permission, an unknown one, or is public without standing in PUBLIC."""


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let the request in, as somebody: puts the actor and the session into the scope.

    Raises: NotSignedIn, NotAllowed, DeviceHandsInOnly, TooManyRequests, LimitsUnavailable,
    DatabaseUnavailable.
    """
    opt, scope = handler.opt, connection.scope
    limit = opt.get("limit")
    if opt.get("public") or scope.get("method") == "OPTIONS":
        if limit:
            await limits.take(limit, client_of(scope))
        return
    signed_in = await find_session(_bearer(scope), request_id=REQUEST_ID.get())
    if not may(signed_in.actor.role, opt.get("permission", "")):
        raise NotAllowed
    if signed_in.device_state not in (None, "active") and not opt.get("hands_in"):
        raise DeviceHandsInOnly(state=signed_in.device_state)
    scope["user"] = signed_in.actor
    scope["auth"] = signed_in.session_id
    if limit:
        await limits.take(limit, str(signed_in.actor.person_id))


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            if value[: len(BEARER)].lower() != BEARER:
                break
            return value[len(BEARER) :].decode("latin-1").strip()
    raise NotSignedIn


def client_of(scope: Scope) -> str:
    """Name where a request comes from: the IPv4 address, or the network of the IPv6 one.

    Behind a proxy the server has put the forwarded address there, if the proxy is a trusted one.
    """
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        address = ip_address(client[0])
    except ValueError:
        return str(client[0])
    if isinstance(address, IPv6Address):
        return str(ip_network((address, ONE_HOUSEHOLD), strict=False))
    return str(address)


CurrentActor = NamedDependency[SkipValidation[Actor]]
"""The actor whom the guard let in: a handler asks for it with `actor: CurrentActor`."""


def provide_actor(request: Request[Actor, Any, Any]) -> Actor:
    """Hand the actor whom the guard let in to a handler that asks for it."""
    return request.user


def handlers_of(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """List every (method, path template, handler) of the application, OPTIONS left out."""
    return [
        (method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in sorted(route.route_handler_map.items())
        if method != "OPTIONS"
    ]


def check_routes(app: Litestar) -> None:
    """Refuse to start with a route about which nobody has said who may call it.

    Raises: RouteNotDeclared.
    """
    open_to_all: set[tuple[str, str]] = set()
    for method, path, handler in handlers_of(app):
        if handler.opt.get("public"):
            open_to_all.add((method, path))
        elif handler.opt.get("permission") not in PERMISSIONS:
            raise RouteNotDeclared(f"{method} {path}: {handler.opt.get('permission')!r}")
        if (limit := handler.opt.get("limit")) and limit not in limits.CLASSES:
            raise RouteNotDeclared(f"{method} {path}: no limit class {limit!r}")
    if undeclared := open_to_all - PUBLIC:
        raise RouteNotDeclared(f"public, but not in PUBLIC: {sorted(undeclared)}")
