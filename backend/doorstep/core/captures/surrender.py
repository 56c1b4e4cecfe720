"""What comes from a phone without a session: known by its key alone, kept, and carried out by nobody.

A phone that was shut out still holds what its person captured before. It may bring that in (IC5):
the request is signed with the device's key under a fresh time, which only ever grows. Whoever is
refused is not told why, nor whether there is such a device.

Its pictures come by the same proof (`surrendered_pictures.py`), chunk by chunk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth import devices, sql
from doorstep.core.auth.device_keys import NOBODY, Verifier
from doorstep.core.auth.errors import NotSignedIn
from doorstep.core.captures import store
from doorstep.core.captures.envelope import Read
from doorstep.core.clock import now

log = structlog.get_logger(__name__)

PATH = "/field/sync/surrender"

FRESH = timedelta(minutes=5)
"""How far the signed time may be from ours; a phone whose clock is wrong learns ours from the refusal."""


class SurrenderRefused(NotSignedIn):
    """Unknown device, wrong signature, a time that is not fresh or was used: all look the same."""

    title = "This could not be taken."

    def __init__(self) -> None:
        moment = now().isoformat()
        super().__init__(server_time=moment)
        # The answer to a HEAD has no body.
        self.headers["Doorstep-Server-Time"] = moment


@dataclass(frozen=True)
class Surrender:
    """The claims of a request: which device, at what time, signed how, over which bytes.

    `asks` is what the request asks for: method, path, and what its headers say of the body.
    """

    device_id: UUID
    signed_at: str
    signature: str
    body: bytes
    asks: str = f"POST {PATH}"

    @property
    def signed(self) -> bytes:
        """Return what the signature covers."""
        content = hashlib.sha256(self.body).hexdigest()
        return f"{self.asks}\n{self.device_id}\n{self.signed_at}\n{content}".encode()


async def recognise(surrender: Surrender) -> devices.Device:
    """Tell which device has signed this, whatever state it is in.

    Raises: SurrenderRefused.
    """
    device = await devices.read_device(surrender.device_id)
    key = Verifier(device.public_key) if device else NOBODY
    proven = key.has_signed(surrender.signed, surrender.signature)
    if device is None or not proven or abs(_moment(surrender.signed_at) - now()) > FRESH:
        log.info("captures.surrender_refused", device_id=str(surrender.device_id))
        raise SurrenderRefused
    return device


@db.transactional
async def keep(
    events: Sequence[Read],
    device: devices.Device,
    surrender: Surrender,
    *,
    app_version: str,
    request_id: str,
) -> None:
    """Keep what a recognised device brings, for a person to look at; nothing of it is carried out.

    Raises: SurrenderRefused when it was brought under this time before.
    """
    moment = _moment(surrender.signed_at)
    if not await db.execute(sql.SURRENDERED, device.id, moment, now()):
        raise SurrenderRefused
    actor = actor_of(device, request_id)
    await store.keep(events, actor=actor, app_version=app_version, surrendered=True)
    # One that brings this in has heard what became of it.
    await devices.heard(device, told=device.state, app_version=app_version)
    log.info("captures.surrendered", device_id=str(device.id), events=len(events))


def actor_of(device: devices.Device, request_id: str) -> Actor:
    """Name whose captures these are; it has no role, so it may do nothing."""
    return Actor(
        role="",
        source="phone",
        person_id=device.person_id,
        name=device.name,
        device_id=device.id,
        channel_ids=tuple(device.channel_ids),
        request_id=request_id,
    )


def _moment(signed_at: str) -> datetime:
    try:
        return datetime.fromisoformat(signed_at)
    except ValueError as wrong:
        raise SurrenderRefused from wrong
