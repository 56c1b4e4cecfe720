"""Faults on demand: which call or webhook goes wrong, decided by a seed."""

from __future__ import annotations

import asyncio
import random
from typing import Annotated, Literal

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec import Meta

System = Literal["shop", "gateway", "carrier", "bank", "messaging", "push"]
Kind = Literal[
    "duplicate",
    "late",
    "out_of_order",
    "timeout_after_success",
    "timeout_without_effect",
    "status_307",
    "status_404",
    "status_410",
    "status_429",
    "status_500",
    "payout_fails",
    "message_fails",
    "no_receipt",
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A system's bad habit: how likely, how often at most, and how long it makes wait.

    duplicate, late and out_of_order concern its webhooks; timeout_after_success its POSTs, which
    take effect and answer only after `delay_seconds`; status_429 and status_500 any call, without
    effect; payout_fails ends a payout of the bank as failed; message_fails has a provider of messages
    report that one could not be delivered, no_receipt nothing after it was sent.
    """

    system: System
    kind: Kind
    rate: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1_000_000
    delay_seconds: Annotated[float, Meta(ge=0, le=600)] = 12.0
    fired: int = 0


class Faults:
    """The bad habits of the moment."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, random.Random]] = []

    def add(self, fault: Fault) -> None:
        """Take up a habit."""
        self._faults.append((fault, random.Random(fault.seed)))  # noqa: S311 - a plan, no secret

    def clear(self) -> None:
        """Behave well again."""
        self._faults.clear()

    def all(self) -> list[Fault]:
        """List the habits and how often each has shown."""
        return [fault for fault, _ in self._faults]

    def fires(self, system: str, kind: Kind) -> Fault | None:
        """Decide whether something goes wrong now; counts it if so."""
        for fault, dice in self._faults:
            if (fault.system, fault.kind) != (system, kind) or fault.fired >= fault.count:
                continue
            if dice.random() < fault.rate:
                fault.fired += 1
                return fault
        return None


_SYSTEM_OF = (
    ("/rest/", "shop"),
    ("/v1/payouts", "bank"),
    ("/push/", "push"),
    ("/whatsapp/", "messaging"),
    ("/twilio/", "messaging"),
    ("/msg91/", "messaging"),
)
_BODIES = {
    429: b'{"message":"Too Many Requests","trace":null}',
    500: b'{"message":"Internal Error"}',
}
_STATUSES: dict[Kind, int] = {
    "status_307": 307,
    "status_404": 404,
    "status_410": 410,
    "status_429": 429,
    "status_500": 500,
}
_HEADERS = {
    ("push", 307): [(b"location", b"/elsewhere")],
    ("push", 429): [(b"retry-after", b"1")],
}


def _system_of(method: object, path: str) -> str | None:
    if path == "/messages":
        return "messaging" if method == "POST" else None
    return next((system for prefix, system in _SYSTEM_OF if path.startswith(prefix)), None)


class FaultyAnswers:
    """Lets calls fail; control endpoints always work."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the app's stead, or late, or not interfere."""
        method = scope["method"] if scope["type"] == ScopeType.HTTP else ""
        system = _system_of(method, scope["path"])
        if system is None:
            await self._app(scope, receive, send)
        elif (status := self._status(system)) is not None:
            await _answer(send, status, _HEADERS.get((system, status), []))
        elif fault := self._faults.fires(system, "timeout_without_effect"):
            await asyncio.sleep(fault.delay_seconds)
            await _answer(send, 500, [])
        elif method == "POST" and (fault := self._faults.fires(system, "timeout_after_success")):
            await self._app(scope, receive, _Late(send, fault.delay_seconds))
        else:
            await self._app(scope, receive, send)

    def _status(self, system: str) -> int | None:
        return next(
            (status for kind, status in _STATUSES.items() if self._faults.fires(system, kind)), None
        )


class _Late:
    """Holds the answer back after the effect."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(self._seconds)
        await self._send(message)


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), *headers],
        }
    )
    body = _BODIES.get(status, b"{}")
    await send({"type": "http.response.body", "body": body, "more_body": False})
