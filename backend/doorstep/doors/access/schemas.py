"""What the routes of access take and give."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from doorstep.core.auth.device_keys import PublicKey
from doorstep.core.auth.sessions import Tokens

Secret = Annotated[str, Meta(min_length=1, max_length=200)]
Token = Annotated[str, Meta(min_length=1, max_length=100)]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Login = Annotated[str, Meta(min_length=3, max_length=120, pattern=r"^\S+$")]
Pin = Annotated[str, Meta(pattern="^[0-9]{6}$")]
Code = Annotated[str, Meta(min_length=26, max_length=40)]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$")]
Language = Annotated[str, Meta(pattern="^[a-z]{2}$")]
Role = Literal[
    "sales", "finance", "warehouse", "store", "courier", "delivery", "technician", "dispatcher",
    "support", "admin", "vendor", "vendor_store",
]  # fmt: skip


class SignIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Staff: login and password."""

    login: Annotated[str, Meta(min_length=1, max_length=120)]
    password: Secret


class SignInDevice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Field workers: the device that was enrolled, and its PIN."""

    device_id: UUID
    pin: Pin


class Enrol(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The code from the office, a name for the device, the PIN it will have, and its public key.

    The same key enrolled again by the same person is the same device. `known_devices` are those whose
    storage this browser still has; apps that do not say it leave it out.
    """

    code: Code
    device_label: Name
    pin: Pin
    public_key: PublicKey
    known_devices: Annotated[list[UUID], Meta(max_length=50)] | None = None


class Enrolled(Tokens, frozen=True):
    """A session of the new device. `lost`: this browser was a phone before, and has lost what it kept."""

    lost: bool


class Refresh(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The refresh token, which is spent by this."""

    refresh_token: Token


class NewPerson(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Staff with login and password, field workers without. No channel means every channel."""

    role: Role
    name: Name
    login: Login | None = None
    password: Secret | None = None
    channel_ids: Annotated[list[UUID], Meta(max_length=50)] = []
    location_id: UUID | None = None
    vendor_id: UUID | None = None
    languages: Annotated[list[Language], Meta(min_length=1, max_length=5)] = msgspec.field(
        default_factory=lambda: ["en"]
    )
    phone: Phone | None = None


class NewIntegrationToken(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the token is for."""

    label: Name


class PersonCreated(msgspec.Struct):
    """The id of the new person."""

    id: UUID


class Me(msgspec.Struct):
    """Who is signed in, and what this role may do."""

    person_id: UUID
    name: str
    role: str
    source: str
    device_id: UUID | None
    channel_ids: list[UUID]
    location_id: UUID | None
    vendor_id: UUID | None
    permissions: list[str]
