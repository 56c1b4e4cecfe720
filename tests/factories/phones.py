"""Phones that take pushes, and a push service that keeps what it is given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.auth import sql
from doorstep.core.auth.device_keys import point_of
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.play.phone_key import PhoneKey
from doorstep.ports import PushAddress, PushNotice
from doorstep.sandbox import push_crypto

VAPID_KEY = "A" * 42 + "E"
SUBJECT = "mailto:push@doorstep.example"


def an_address(endpoint: str = "") -> PushAddress:
    """Make what a browser subscribes with."""
    reader = push_crypto.new_reader(secrets.token_bytes(16))
    return PushAddress(
        endpoint=endpoint or f"https://fcm.googleapis.com/fcm/send/{secrets.token_urlsafe(9)}",
        p256dh=reader.p256dh,
        auth=reader.auth,
    )


async def a_phone(person_id: UUID | None, address: PushAddress | None = None) -> UUID:
    """Give somebody a phone, signed in and subscribed; tell its id."""
    assert person_id is not None
    device_id, moment = uuid7(), now()
    point = point_of(PhoneKey().public)
    await db.execute(sql.ENROL_DEVICE, device_id, person_id, "phone", "no PIN", point, moment)
    await db.execute(sql.INSERT_SESSION, uuid7(), person_id, device_id, "phone", "", moment)
    given = address or an_address()
    await db.execute(
        "INSERT INTO push_subscription (device_id, endpoint, p256dh, auth, renewed_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        device_id,
        given.endpoint,
        given.p256dh,
        given.auth,
        moment,
    )
    return device_id


async def told(device_id: UUID) -> list[tuple[str, str]]:
    """List (kind, lane) of what a phone is told, oldest first."""
    rows = await db.rows(
        "SELECT kind, lane FROM push_message WHERE device_id = $1 ORDER BY id", device_id
    )
    return [(row["kind"], row["lane"]) for row in rows]


@dataclass
class PushBox:
    """A `ports.Pusher` that keeps what it is given, or fails as it is told to."""

    public_key: str = "key"
    failure: Exception | None = None
    sent: list[tuple[PushAddress, PushNotice]] = field(default_factory=list)

    def check(self, address: PushAddress) -> None:
        """Take any address."""

    async def send(self, address: PushAddress, notice: PushNotice) -> None:
        """Keep the notice."""
        if self.failure:
            raise self.failure
        self.sent.append((address, notice))

    def messages(self) -> list[dict[str, Any]]:
        """Read what was sent."""
        return [msgspec.json.decode(notice.body) for _, notice in self.sent]
