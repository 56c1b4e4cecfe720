"""Phones that hand in what they captured, and a company whose field works by sync alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.field.captured import CAPTURES
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.phone_keys import key_of, signed

PUSH = "/field/sync/push"
_TEMPLATES = {
    name: re.compile(
        re.sub(r"{(\w+):uuid}", r"(?P<\1>[0-9a-f-]{36})", next(iter(one.handler.paths)))
    )
    for name, one in CAPTURES.items()
}


def type_of(path: str) -> tuple[str, dict[str, str]] | None:
    """Find the type of event that a request stands for, and the ids of its path."""
    for name, template in _TEMPLATES.items():
        if found := template.fullmatch(path):
            return name, found.groupdict()
    return None


@dataclass
class Phone:
    """The phone of somebody of a role."""

    company: Company
    who: str
    seq: int = 0
    app_version: str = "1.0.0"
    before: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """What makes a payload of the number before out of a present one, by type: an old phone's."""
    boot: UUID = field(default_factory=uuid4)

    def event(self, type_: str, payload: Any, *, lane: str = "job", **other: Any) -> dict[str, Any]:
        """Capture something."""
        self.seq += 1
        number = CAPTURES[type_].schema if type_ in CAPTURES else 1
        if type_ in self.before:
            number, payload = number - 1, self.before[type_](payload)
        return {
            "event_id": uuid7(), "type": type_, "schema": number, "lane": lane, "device_seq": self.seq,
            "captured_at": now(), "mono_ms": self.seq * 1000, "boot": self.boot,
            "server_at": None, "server_mono_ms": None, "payload": payload, "sig": None,
        } | other  # fmt: skip

    def of(self, path: str, body: dict[str, Any], **other: Any) -> dict[str, Any]:
        """Capture what a request would say."""
        found = type_of(path)
        assert found is not None, path
        name, ids = found
        payload = {k: v for k, v in body.items() if k not in ("event_id", "captured_at")} | ids
        given = {k: body[k] for k in ("event_id", "captured_at") if k in body}
        return self.event(name, payload, **(given | other))

    async def send(self, *events: Any, **said: Any) -> httpx.Response:
        """Push a batch; what is not signed yet is signed by this phone."""
        key = key_of(self.company.users[self.who].headers)
        batch = {
            "app_version": self.app_version, "sent_at": now(),
            "events": [signed(event, key) for event in events],
        } | said  # fmt: skip
        return await self.company.send(self.who, PUSH, batch)

    async def push(self, *events: Any) -> list[dict[str, Any]]:
        """Push a batch that must be taken; tell the receipts."""
        answer = await self.send(*events)
        assert answer.status_code == 200, answer.text
        receipts: list[dict[str, Any]] = answer.json()["receipts"]
        return receipts

    async def asked(self, *ids: UUID) -> list[dict[str, Any]]:
        """Ask for receipts."""
        query = ",".join(map(str, ids))
        answer = await self.company.get(self.who, f"/field/sync/receipts?ids={query}")
        receipts: list[dict[str, Any]] = answer["receipts"]
        return receipts


class SyncedCompany(Company):
    """A company where everything that can be captured comes by sync, and nothing by its request."""

    captured: dict[str, list[dict[str, Any]]]
    phones: dict[str, Phone]
    before: Mapping[str, Callable[[Any], Any]]

    @classmethod
    def of(
        cls, company: Company, before: Mapping[str, Callable[[Any], Any]] | None = None
    ) -> SyncedCompany:
        """Take the requests away from a company; with `before` its phones are old (see Phone)."""
        made = cls(**{name: getattr(company, name) for name in ("http", "world", "bank", "post")})
        made.users, made.captured, made.phones = company.users, {}, {}
        made.before = before or {}
        return made

    async def send(self, who: str, path: str, body: Any) -> httpx.Response:
        """Send a body, or have it captured and pushed; then the answer is its receipt."""
        found = type_of(path)
        if found is None:
            return await super().send(who, path, body)
        phone = self.phones.setdefault(who, Phone(self, who, before=self.before))
        event = phone.of(path, msgspec.json.decode(msgspec.json.encode(body)))
        [receipt] = await phone.push(event)
        self.captured.setdefault(found[0], []).append(receipt)
        counts = receipt["verdict"] in ("applied", "duplicate")
        return httpx.Response(200 if counts else 202, json=receipt)


async def picking(company: Company, phone: Phone, **other: Any) -> tuple[Order, dict[str, Any]]:
    order = await standing(company, 1004)
    step = await order.pick()
    return order, phone.of(step.path, step.body, **other)


def unannounced(phone: Phone, **other: Any) -> dict[str, Any]:
    payload = {"code": f"C-{uuid4().hex[:8]}", "words": "Nobody knows it."}
    return phone.event("goods.unannounced", payload, **other)


async def kept_goods() -> int:
    found: int = await core_db.value("SELECT count(*) FROM unannounced_goods")
    return found
