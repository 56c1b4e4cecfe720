"""A phone that hands in without a session, as its browser would."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from doorstep.core import db as core_db
from doorstep.core.captures.surrender import PATH
from doorstep.core.clock import now
from doorstep.play.phone_key import PhoneKey
from tests.factories.phone_keys import key_of, signed
from tests.factories.sync import Phone


async def device_of(phone: Phone) -> UUID:
    """Find the device of a phone."""
    found: UUID = await core_db.value(
        "SELECT id FROM device WHERE person_id = $1", phone.company.users[phone.who].id
    )
    return found


@dataclass
class Surrender:
    """The request of a phone that surrenders; a test changes what it wants wrong."""

    phone: Phone
    device_id: UUID
    key: PhoneKey
    signed_at: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, phone: Phone, *events: Any, **other: Any) -> Surrender:
        """Sign a batch as its phone does, now or `late`."""
        late: timedelta = other.pop("late", timedelta())
        key = key_of(phone.company.users[phone.who].headers)
        made = cls(phone, await device_of(phone), key)
        made.signed_at = _spell(now() + late)
        made.body = msgspec.json.encode(
            {
                "app_version": "1.0.0", "sent_at": now(),
                "events": [signed(event, key) for event in events],
            } | other
        )  # fmt: skip
        return made.sign()

    def sign(self) -> Surrender:
        """Put the signature of all this into the headers."""
        content = hashlib.sha256(self.body).hexdigest()
        said = f"POST {PATH}\n{self.device_id}\n{self.signed_at}\n{content}"
        self.headers = {
            "Doorstep-Device": str(self.device_id),
            "Doorstep-Signed-At": self.signed_at,
            "Doorstep-Signature": self.key.sign(said.encode()),
            "Content-Type": "application/json",
        }
        return self

    async def send(self) -> httpx.Response:
        """Send it, without a session."""
        return await self.phone.company.http.post(PATH, content=self.body, headers=self.headers)


CHUNK = 32 * 1024


@dataclass
class SurrenderedPicture:
    """A picture of a phone without a session; a test changes what it wants wrong."""

    phone: Phone
    content: bytes
    device_id: UUID
    key: PhoneKey
    late: timedelta = timedelta()

    @classmethod
    async def of(cls, phone: Phone, content: bytes) -> SurrenderedPicture:
        key = key_of(phone.company.users[phone.who].headers)
        return cls(phone, content, await device_of(phone), key)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def path(self) -> str:
        return f"{PATH}/pictures/{self.sha256}"

    def signed(self, asks: str, body: bytes) -> dict[str, str]:
        """Sign a request as its phone does."""
        signed_at = _spell(now() + self.late)
        said = f"{asks}\n{self.device_id}\n{signed_at}\n{hashlib.sha256(body).hexdigest()}"
        return {
            "Doorstep-Device": str(self.device_id),
            "Doorstep-Signed-At": signed_at,
            "Doorstep-Signature": self.key.sign(said.encode()),
        }

    async def ask(self) -> httpx.Response:
        """Ask from which byte it goes on."""
        headers = self.signed(f"HEAD {self.path}", b"")
        return await self.phone.company.http.head(self.path, headers=headers)

    async def send(self, at: int, *, length: int | None = None, **other: Any) -> httpx.Response:
        """Send the chunk that begins there; `chunk` instead of its bytes, `headers` instead of the proof."""
        body = other.get("chunk", self.content[at : at + CHUNK])
        whole = len(self.content) if length is None else length
        headers = other.get("headers") or self.signed(f"PATCH {self.path} {at}/{whole}", body)
        sizes = {"Upload-Offset": str(at), "Upload-Length": str(whole)}
        return await self.phone.company.http.patch(self.path, content=body, headers=headers | sizes)

    async def send_all(self) -> httpx.Response:
        """Send it whole, chunk by chunk."""
        answers = [await self.send(at) for at in range(0, len(self.content), CHUNK)]
        return answers[-1]


def _spell(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
