"""Phones of field workers: enrolled by a code and a key, told what to do, shut out.

A device is one key of one person. Whoever enrols the same key anew goes on with the same device,
so that what it captured before still counts as its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog
from msgspec import Struct

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth import passwords, sql, tokens
from doorstep.core.auth.device_keys import PublicKey, point_of
from doorstep.core.auth.errors import (
    DeviceEnrolledByAnother,
    DeviceIsRevoked,
    DeviceStateForbids,
    EnrolmentCodeNotValid,
    NoSuchDevice,
    NoSuchPerson,
)
from doorstep.core.auth.scope import scope
from doorstep.core.auth.sessions import Tokens, open_session
from doorstep.core.clock import now
from doorstep.core.ids import uuid7

log = structlog.get_logger(__name__)

State = Literal["active", "locked", "draining", "signed_out", "revoked"]


class DeviceWord(Struct, frozen=True):
    """What the server has to say to a phone, beside whatever it answers.

    `locked`: show the lock, hand in what there is. `draining`: hand in all there is, then sign out.
    """

    state: Literal["active", "locked", "draining"]


class DeviceOut(Struct, frozen=True):
    """A device as desks see it. `heard_at` is when the phone has heard of its state."""

    id: UUID
    label: str
    state: State
    state_at: datetime
    state_by: UUID | None
    heard_at: datetime | None
    signed_in: bool
    enrolled_at: datetime
    last_seen_at: datetime
    app_version: str
    surrendered_at: datetime | None


class Device(Struct, frozen=True):
    """A device that hands something in, and whose it is."""

    id: UUID
    person_id: UUID
    public_key: bytes
    state: State
    app_version: str
    heard_at: datetime | None
    name: str
    channel_ids: list[UUID]

    @property
    def word(self) -> DeviceWord:
        """What it is told."""
        if self.state == "active" or self.state == "draining":
            return DeviceWord(self.state)
        return DeviceWord("locked")


async def enrol(code: str, *, label: str, pin: str, key: PublicKey) -> Tokens:
    """Make a device of whoever holds the code, or renew the one with this key; open a session.

    Raises: EnrolmentCodeNotValid, PinNotSixDigits, KeyNotOnCurve; DeviceEnrolledByAnother and
    DeviceIsRevoked, and then the code is still good.
    """
    passwords.check_pin(pin)
    point = point_of(key)
    while True:
        known = await db.row(sql.FIND_BY_KEY, point)
        device_id: UUID = known["id"] if known else uuid7()
        # Outside the transaction: hashing takes its time.
        pin_hash = await passwords.hash_secret(tokens.peppered(pin, device_id))
        enrolled = await _enrol(tokens.normalise_code(code), device_id, label, pin_hash, point)
        if enrolled is not None:
            return enrolled
        # The same key was enrolled by another request meanwhile; now its device is known.


class _AnotherId(Exception):
    """The key has a device, but under another id than the PIN was hashed for."""


async def _enrol(
    code: str, device_id: UUID, label: str, pin_hash: str, point: bytes
) -> Tokens | None:
    try:
        return await _enrol_in_one(code, device_id, label, pin_hash, point)
    except _AnotherId:
        return None


@db.transactional
async def _enrol_in_one(
    code: str, device_id: UUID, label: str, pin_hash: str, point: bytes
) -> Tokens:
    moment = now()
    person_id = await db.value(sql.USE_CODE, tokens.hash_of(code), moment)
    if person_id is None:
        raise EnrolmentCodeNotValid
    given = (device_id, person_id, label, pin_hash, point, moment)
    if await db.value(sql.ENROL_DEVICE, *given) is None:
        # Each of these takes the use of the code back.
        known = await db.one(sql.FIND_BY_KEY, point)
        if known["person_id"] != person_id:
            raise DeviceEnrolledByAnother
        if known["state"] == "revoked":
            raise DeviceIsRevoked
        raise _AnotherId
    await db.execute(sql.REVOKE_SESSIONS_OF_DEVICE, device_id, moment, "enrolled anew")
    log.info("access.device_enrolled", person_id=str(person_id), device_id=str(device_id))
    return await open_session(person_id, source="phone", device_id=device_id)


async def read_device(device_id: UUID) -> Device | None:
    """Tell what is known of a device that hands something in."""
    row = await db.row(sql.READ_DEVICE, device_id)
    return Device(**row) if row else None


async def heard(device: Device, *, told: str | None, app_version: str | None) -> None:
    """Note which app the device runs, and that it has heard of its state if that is what it says."""
    acknowledges = device.heard_at is None and told == device.state
    if acknowledges or app_version not in (None, device.app_version):
        await db.execute(sql.HEARD, device.id, app_version, told, now())


async def list_devices(person_id: UUID, *, actor: Actor) -> list[DeviceOut]:
    """List a person's devices, the one seen last first.

    Raises: NoSuchPerson, also for people of channels that the actor has nothing to do with.
    """
    condition, arguments = scope(actor).people("p", first=2)
    found = f"SELECT 1 FROM person p WHERE p.id = $1 AND {condition}"  # noqa: S608 - a constant
    if await db.value(found, person_id, *arguments) is None:
        raise NoSuchPerson
    return [DeviceOut(**row) for row in await db.rows(sql.LIST_DEVICES, person_id, now())]


async def lock_device(device_id: UUID, *, by: Actor) -> None:
    """Lock a device: it gets nothing new and no further session, but may hand in what it has.

    Raises: NoSuchDevice, DeviceStateForbids.
    """
    await _command(device_id, "locked", by, ("active", "locked", "draining", "signed_out"))


async def unlock_device(device_id: UUID, *, by: Actor) -> None:
    """Let a locked device work again; its PIN is the one it had.

    Raises: NoSuchDevice, DeviceStateForbids.
    """
    await _command(device_id, "active", by, ("locked",), settled=("draining", "signed_out"))


async def sign_out_device(device_id: UUID, *, by: Actor) -> None:
    """Tell a device to hand in all it has and then to sign out.

    Raises: NoSuchDevice, DeviceStateForbids.
    """
    await _command(device_id, "draining", by, ("active",), settled=("signed_out",))


@db.transactional
async def revoke_device(device_id: UUID, *, by: Actor) -> None:
    """Shut a lost or replaced device out for good; a second call changes nothing.

    Raises: NoSuchDevice.
    """
    await _command(device_id, "revoked", by, ("active", "locked", "draining", "signed_out"))
    await db.execute(sql.REVOKE_SESSIONS_OF_DEVICE, device_id, now(), "device revoked")


@db.transactional
async def _command(
    device_id: UUID,
    state: State,
    by: Actor,
    before: tuple[State, ...],
    settled: tuple[State, ...] = (),
) -> None:
    """Bring a device from one of the states `before` into another; in a `settled` one it stays."""
    await _require_in_sight(device_id, by)
    if await db.execute(sql.COMMAND, device_id, state, now(), by.person_id, list(before)):
        log.info("access.device_told", device_id=str(device_id), state=state, by=str(by.person_id))
        if state in ("locked", "draining"):
            await outbox.add("flows.tell_device_command", {"device_id": device_id, "at": now()})
        return
    stands: Any = await db.value("SELECT state FROM device WHERE id = $1", device_id)
    if stands not in (state, *settled):
        raise DeviceStateForbids(state=stands)


async def _require_in_sight(device_id: UUID, actor: Actor) -> None:
    condition, arguments = scope(actor).people("p", first=2)
    found = (
        "SELECT 1 FROM device d JOIN person p ON p.id = d.person_id"  # noqa: S608 - a constant
        f" WHERE d.id = $1 AND {condition}"
    )
    if await db.value(found, device_id, *arguments) is None:
        raise NoSuchDevice
