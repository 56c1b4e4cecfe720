"""Tables of people, devices and sessions, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import UUID, Array, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Person(Table, tablename="person", db=engine):
    """Somebody who signs in."""

    id = UUID(primary_key=True, default=None)
    role = Text()
    name = Text()
    login = Text(null=True, default=None)
    password_hash = Text(null=True, default=None)
    channel_ids = Array(base_column=UUID())
    location_id = UUID(null=True, default=None)
    vendor_id = UUID(null=True, default=None)
    languages = Array(base_column=Text())
    phone = Text(null=True, default=None)
    active = Boolean()
    created_at = Timestamptz(default=None)
    created_by = UUID(null=True, default=None)
    deactivated_at = Timestamptz(null=True, default=None)


class PersonPortrait(Table, tablename="person_portrait", db=engine):
    """What somebody looks like."""

    person_id = UUID(primary_key=True, default=None)
    sha256 = Text()
    set_at = Timestamptz(default=None)
    set_by = UUID(null=True, default=None)


class Device(Table, tablename="device", db=engine):
    """A field worker's phone."""

    id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    label = Text()
    pin_hash = Text()
    pin_failures = Integer()
    public_key = Bytea()
    app_version = Text()
    state = Text()
    state_at = Timestamptz(default=None)
    state_by = UUID(null=True, default=None)
    heard_at = Timestamptz(null=True, default=None)
    surrendered_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)


class EnrolmentCode(Table, tablename="enrolment_code", db=engine):
    """A code that enrols one phone."""

    code_hash = Bytea(primary_key=True)
    person_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    created_by = UUID(null=True, default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class Session(Table, tablename="session", db=engine):
    """A sign-in."""

    id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    device_id = UUID(null=True, default=None)
    source = Text()
    label = Text()
    created_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)
    revoked_why = Text(null=True, default=None)


class SessionToken(Table, tablename="session_token", db=engine):
    """A token of a session, hashed."""

    token_hash = Bytea(primary_key=True)
    session_id = UUID(default=None)
    kind = Text()
    expires_at = Timestamptz(default=None)
    spent_at = Timestamptz(null=True, default=None)
    used_at = Timestamptz(null=True, default=None)
