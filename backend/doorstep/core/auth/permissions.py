"""Who may do what: one table, everything that is not in it is refused.

A route says which permission it needs (`opt=needs("oms:order:create")`) or that everybody may come
(`opt=public()`, and its path in PUBLIC). Which rows a person sees is the business of `scope`.
"""

from __future__ import annotations

from typing import Any

from doorstep.core.actor import ROLES


def _roles(names: str) -> frozenset[str]:
    roles = frozenset(names.split())
    if unknown := roles - set(ROLES):
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
    return roles


EVERYBODY = frozenset(ROLES)
"""Every signed-in person; `system` and `customer` never sign in."""

_FLOOR = "warehouse store vendor_store"
_ROAD = "courier delivery"
_FIELD = f"{_FLOOR} {_ROAD} technician"
_DESK = "admin support dispatcher finance sales"

PERMISSIONS: dict[str, frozenset[str]] = {
    # People and access
    "access:session:own": EVERYBODY,
    "access:person:manage": _roles("admin"),
    "access:device:command": _roles("dispatcher admin"),
    "core:capture:sync": _roles(_FIELD),
    "core:capture:read": _roles("dispatcher support admin"),
    "push:phone:own": _roles(_FIELD),
    "core:sync_health:read": _roles("dispatcher support admin"),
    "core:upload:write": _roles(f"{_FIELD} {_DESK} vendor"),
    "core:dead_letter:read": _roles("support admin"),
    "core:dead_letter:replay": _roles("admin"),
    # Orders and customers
    "oms:order:create": _roles("sales support admin"),
    "oms:order:read": _roles(f"{_DESK} {_FLOOR}"),
    "oms:order:cancel": _roles("support dispatcher sales admin"),
    "crm:address:complete": _roles("dispatcher support admin"),
    "oms:return:request": _roles("support dispatcher admin"),
    "journey:detour:report": _roles("dispatcher support finance admin"),
    "oms:payment:record": _roles("finance admin"),
    "oms:approval:read": _roles("finance dispatcher sales support admin"),
    "oms:approval:decide": _roles("finance dispatcher sales admin"),
    "oms:reservation:approve": _roles("dispatcher sales admin"),
    "oms:approval_policy:write": _roles("admin"),
    "oms:document:read": _roles(f"{_DESK} {_FLOOR}"),
    "oms:picture:read": _roles(_DESK),
    "oms:order:close": _roles("support admin"),
    "oms:archive:read": _roles(_DESK),
    "helpdesk:problem:read": _roles(_DESK),
    "helpdesk:problem:write": _roles(_DESK),
    "helpdesk:ticket:read": _roles(_DESK),
    "helpdesk:ticket:write": _roles("support dispatcher finance admin"),
    "helpdesk:escalation:manage": _roles("admin"),
    "helpdesk:word:write": _roles(_FIELD),
    # The warehouse floor
    "wms:pick:read": _roles(_FLOOR),
    "wms:pick:write": _roles(_FLOOR),
    "wms:qc:write": _roles(_FLOOR),
    "wms:pack:write": _roles(_FLOOR),
    "wms:arrival:read": _roles(_FLOOR),
    "wms:arrival:plan": _roles("dispatcher admin"),
    "wms:receipt:write": _roles(_FLOOR),
    "wms:stock:read": _roles(_DESK),
    "wms:stock:propose": _roles(_FLOOR),
    "wms:stock:adjust": _roles("dispatcher admin"),
    "wms:policy:write": _roles("admin"),
    "wms:bin:plan": _roles("dispatcher admin"),
    "wms:count:plan": _roles("dispatcher admin"),
    "wms:count:write": _roles(_FLOOR),
    "wms:shift:write": _roles(_FIELD),
    # Vendors
    "scm:purchase_order:read": _roles("vendor finance support admin"),
    "scm:purchase_order:answer": _roles("vendor"),
    # Transport
    "tms:shipment:write": _roles("dispatcher admin"),
    "tms:manifest:write": _roles(f"{_FLOOR} dispatcher"),
    "tms:manifest:confirm": _roles(_ROAD),
    "tms:scan:write": _roles(f"{_ROAD} {_FLOOR}"),
    "tms:piece:report": _roles(f"{_ROAD} {_FLOOR}"),
    "tms:run:plan": _roles("dispatcher admin"),
    "tms:run:accept": _roles(_ROAD),
    "tms:fleet:read": _roles(_DESK),
    "tms:fleet:manage": _roles("dispatcher admin"),
    "tms:shift:work": _roles(f"{_ROAD} technician"),
    "tms:pod:write": _roles(f"{_ROAD} store vendor_store"),
    # Where people on the road are: desks that send them look, the person sees who did
    "places:place:own": _roles(f"{_ROAD} technician"),
    "places:track:read": _roles("dispatcher admin"),
    # Installation
    "fsm:visit:book": _roles("dispatcher support admin"),
    "fsm:report:write": _roles("technician"),
    "fsm:report:approve": _roles("dispatcher admin"),
    "fsm:manual:read": _roles(_DESK),
    "fsm:manual:write": _roles("admin"),
    "fsm:price:read": _roles(_DESK),
    "fsm:price:write": _roles("finance admin"),
    "fsm:extra:read": _roles(_DESK),
    "fsm:part:read": _roles("dispatcher admin"),
    "fsm:part:move": _roles("dispatcher admin warehouse"),
    # What is told to customers and by which words
    "messages:template:read": _roles(_DESK),
    "messages:template:write": _roles("admin"),
    "messages:preference:write": _roles("support admin"),
    # Who is forgotten, and after how long
    "privacy:erasure:manage": _roles("support admin"),
    "privacy:rule:write": _roles("admin"),
    # What finished work earns its person
    "earnings:line:own": _roles(_FIELD),
    "earnings:line:read": _roles("finance dispatcher admin"),
    "earnings:line:decide": _roles("finance dispatcher admin"),
    "earnings:rate:read": _roles("finance dispatcher admin"),
    "earnings:rate:write": _roles("finance admin"),
    # Money
    "finance:ledger:read": _roles("finance admin"),
    "finance:tranche:read": _roles("finance admin vendor"),
    "finance:payout:manage": _roles("finance"),
}

PUBLIC: set[tuple[str, str]] = {
    ("POST", "/api/sign-in"),
    ("POST", "/api/sign-in/device"),
    ("POST", "/api/enrol"),
    ("POST", "/api/session/refresh"),
    ("GET", "/app"),
    ("GET", "/app/{path}"),
    ("POST", "/field/sync/surrender"),
    ("HEAD", "/field/sync/surrender/pictures/{sha256}"),
    ("PATCH", "/field/sync/surrender/pictures/{sha256}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/pictures/{sha256}/{derivative}"),
    ("POST", "/hooks/checkout"),
    ("POST", "/hooks/clickpost/{secret}"),
    ("POST", "/hooks/bank"),
    ("GET", "/t/{token}"),
    ("GET", "/t/files/{name}"),
    ("GET", "/t/orders/{number}"),
    ("GET", "/t/orders/{number}/events"),
    ("GET", "/t/orders/{number}/certificates/{paper}"),
    ("GET", "/t/orders/{number}/invoice"),
    ("GET", "/t/orders/{number}/receipts/{paper}"),
    ("GET", "/t/orders/{number}/parcels/{parcel}/proof"),
    ("GET", "/t/orders/{number}/parcels/{parcel}/who"),
    ("POST", "/t/orders/{number}/rating"),
    ("POST", "/t/orders/{number}/date"),
    ("POST", "/t/orders/{number}/cancel"),
    ("POST", "/t/orders/{number}/handover-code"),
    ("POST", "/t/orders/{number}/sign-in-code"),
    ("POST", "/t/orders/{number}/sign-in"),
    ("POST", "/t/orders/{number}/sign-out"),
    ("POST", "/t/orders/{number}/erasure"),
    ("POST", "/t/orders/{number}/erasure/withdraw"),
    ("POST", "/t/orders/{number}/address/look"),
    ("POST", "/t/orders/{number}/parcels/{parcel}/transfer/code"),
    ("GET", "/t/warranties/{token}"),
    ("GET", "/t/owners/{number}"),
    ("GET", "/t/owners/{number}/certificate"),
    ("POST", "/t/owners/{number}/sign-in-code"),
    ("POST", "/t/owners/{number}/sign-in"),
    ("POST", "/t/owners/{number}/sign-out"),
    ("POST", "/t/owners/{number}/claim"),
    ("GET", "/t/owners/{number}/repair"),
    ("POST", "/t/owners/{number}/repair"),
    ("GET", "/t/owners/{number}/transfer"),
    ("POST", "/t/owners/{number}/transfer"),
    ("POST", "/t/owners/{number}/transfer/code"),
    ("POST", "/t/certificates/{number}/link"),
    ("GET", "/t/returns/{number}"),
    ("POST", "/t/returns/{number}/link"),
    *(
        (method, f"/t/orders/{{number}}/{step}")
        for method in ("GET", "POST")
        for step in (
            "address",
            "data",
            "help",
            "messages",
            "parcels/{parcel}/attempt",
            "parcels/{parcel}/problem",
            "parcels/{parcel}/return",
            "parcels/{parcel}/repairs/{piece}",
            "parcels/{parcel}/times/{which}",
            "parcels/{parcel}/transfer",
            "parcels/{parcel}/warranty",
        )
    ),
    ("GET", "/hooks/whatsapp"),
    ("POST", "/hooks/whatsapp"),
    ("POST", "/hooks/twilio"),
    ("POST", "/hooks/twilio/{message_id}"),
    ("POST", "/hooks/msg91/{secret}"),
    ("POST", "/hooks/email/{secret}"),
    ("GET", "/track/{token}"),
    ("POST", "/track/{token}/feedback"),
    ("POST", "/track/{token}/date"),
    ("POST", "/track/{token}/cancel"),
    ("GET", "/track/{token}/certificate/{number}"),
    ("GET", "/verify/{number}"),
}
"""Routes without a token: (method, path template). Each checks in itself whatever it must."""


def needs(permission: str, *, limit: str | None = None, hands_in: bool = False) -> dict[str, Any]:
    """Make the `opt` of a route that needs this permission, counted in the limit class if given.

    `hands_in` leaves it open to a phone that is locked or about to sign out.
    """
    opt: dict[str, Any] = {"permission": permission}
    return opt | ({"limit": limit} if limit else {}) | ({"hands_in": True} if hands_in else {})


def public(*, limit: str | None = None) -> dict[str, Any]:
    """Make the `opt` of a route that everybody may call; its path must stand in PUBLIC too."""
    return {"public": True} | ({"limit": limit} if limit else {})


def may(role: str, permission: str) -> bool:
    """Tell whether the role has the permission; an unknown permission is nobody's."""
    return role in PERMISSIONS.get(permission, frozenset())
