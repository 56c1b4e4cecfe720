"""What desks see of people's phones, and what they tell them from afar."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import PathParameter

from doorstep.core.auth import service
from doorstep.core.auth.errors import DeviceStateForbids, NoSuchDevice, NoSuchPerson
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems

Id = Annotated[UUID, PathParameter()]
COMMAND = needs("access:device:command")
TAGS = ["access"]


@get(
    "/api/people/{person_id:uuid}/devices",
    operation_id="readDevicesOfPerson",
    opt=COMMAND,
    responses=problems(NoSuchPerson),
    tags=TAGS,
)
async def read_devices(person_id: Id, actor: CurrentActor) -> list[service.DeviceOut]:
    """List a person's devices: state, since when, whether the phone has heard of it, last seen."""
    return await service.list_devices(person_id, actor=actor)


@post(
    "/api/devices/{device_id:uuid}/lock",
    operation_id="lockDevice",
    status_code=204,
    opt=COMMAND,
    responses=problems(NoSuchDevice, DeviceStateForbids),
    tags=TAGS,
)
async def lock_device(device_id: Id, actor: CurrentActor) -> None:
    """Lock a device: it gets nothing new, but hands in what it has captured."""
    await service.lock_device(device_id, by=actor)


@post(
    "/api/devices/{device_id:uuid}/unlock",
    operation_id="unlockDevice",
    status_code=204,
    opt=COMMAND,
    responses=problems(NoSuchDevice, DeviceStateForbids),
    tags=TAGS,
)
async def unlock_device(device_id: Id, actor: CurrentActor) -> None:
    """Let a locked device work again, with the PIN it had."""
    await service.unlock_device(device_id, by=actor)


@post(
    "/api/devices/{device_id:uuid}/sign-out",
    operation_id="signOutDevice",
    status_code=204,
    opt=COMMAND,
    responses=problems(NoSuchDevice, DeviceStateForbids),
    tags=TAGS,
)
async def sign_out_device(device_id: Id, actor: CurrentActor) -> None:
    """Have a device hand in all it has, and then sign out."""
    await service.sign_out_device(device_id, by=actor)


@post(
    "/api/devices/{device_id:uuid}/revoke",
    operation_id="revokeDevice",
    status_code=204,
    opt=needs("access:person:manage"),
    responses=problems(NoSuchDevice),
    tags=TAGS,
)
async def revoke_device(device_id: Id, actor: CurrentActor) -> None:
    """Shut a lost or replaced device out for good; what it still has comes in for review."""
    await service.revoke_device(device_id, by=actor)


handlers = [read_devices, lock_device, unlock_device, sign_out_device, revoke_device]
"""The routes of devices."""
