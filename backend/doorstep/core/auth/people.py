"""People: made, given a code for their phone, shut out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog

from doorstep.core import db
from doorstep.core.auth import passwords, portraits, sql, tokens
from doorstep.core.auth.errors import (
    LoginAlreadyTaken,
    NoSuchPerson,
    PersonNotComplete,
    PersonSignsInOtherwise,
)
from doorstep.core.barcodes import qr_svg
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.settings import settings

log = structlog.get_logger(__name__)

FIELD_ROLES = frozenset({"courier", "delivery", "technician", "warehouse", "store", "vendor_store"})
"""They enrol a device; all others sign in with a password."""

CODE_LIFE = timedelta(hours=24)


class EnrolmentCode(msgspec.Struct, frozen=True):
    """A code as it is shown once, to be handed to its person.

    The QR code holds the link, which opens the field app with the code behind a `#`: no server and
    no log sees it there.
    """

    code: str
    link: str
    qr_svg: str
    expires_at: datetime


async def create_person(
    *,
    role: str,
    name: str,
    login: str | None = None,
    password: str | None = None,
    channel_ids: Sequence[UUID] = (),
    location_id: UUID | None = None,
    vendor_id: UUID | None = None,
    languages: Sequence[str] = ("en",),
    phone: str | None = None,
    person_id: UUID | None = None,
    created_by: UUID | None = None,
) -> UUID:
    """Add a person; staff get a login with its password, field workers an enrolment code later.

    No `channel_ids` means every channel. Field roles of a place need `location_id`, vendors
    `vendor_id`.

    Raises: PersonNotComplete, PersonSignsInOtherwise, PasswordTooWeak, LoginAlreadyTaken.
    """
    if (login is None) != (password is None):
        raise PersonNotComplete("A login and its password go together.")
    password_hash = None
    if login is not None and password is not None:
        if role in FIELD_ROLES:
            raise PersonSignsInOtherwise("Field workers enrol a device; they have no password.")
        passwords.check_password(password, login=login)
        password_hash = await passwords.hash_secret(password)
    made = person_id or uuid7()
    try:
        await db.execute(
            sql.INSERT_PERSON,
            made,
            role,
            name,
            login,
            password_hash,
            list(channel_ids),
            location_id,
            vendor_id,
            list(languages),
            phone,
            now(),
            created_by,
        )
    except asyncpg.UniqueViolationError as taken:
        raise LoginAlreadyTaken from taken
    except asyncpg.CheckViolationError as incomplete:
        raise PersonNotComplete(rule=incomplete.constraint_name) from incomplete
    log.info("access.person_created", person_id=str(made), role=role)
    return made


async def make_enrolment_code(person_id: UUID, *, created_by: UUID | None = None) -> EnrolmentCode:
    """Make a code that enrols one device of this person within 24 hours; only its hash is kept.

    Raises: NoSuchPerson; PersonSignsInOtherwise for staff and inactive people.
    """
    found = await db.row("SELECT role, active FROM person WHERE id = $1", person_id)
    if found is None:
        raise NoSuchPerson
    if not found["active"] or found["role"] not in FIELD_ROLES:
        raise PersonSignsInOtherwise
    code = tokens.new_code()
    expires_at = now() + CODE_LIFE
    await db.execute(
        sql.INSERT_CODE, tokens.hash_of(code), person_id, now(), created_by, expires_at
    )
    log.info("access.code_made", person_id=str(person_id))
    link = f"{settings().public_url.rstrip('/')}/app/#code={code}"
    return EnrolmentCode(code, link, qr_svg(link), expires_at)


@db.transactional
async def deactivate_person(person_id: UUID, *, by: UUID | None = None) -> None:
    """Shut a person out with all devices and sessions, and drop the portrait; a second call changes nothing.

    Raises: NoSuchPerson.
    """
    touched = await db.execute(
        "UPDATE person SET active = false, deactivated_at = coalesce(deactivated_at, $2)"
        " WHERE id = $1",
        person_id,
        now(),
    )
    if not touched:
        raise NoSuchPerson
    await db.execute(sql.REVOKE_DEVICES_OF_PERSON, person_id, now(), by)
    await db.execute(sql.REVOKE_SESSIONS_OF_PERSON, person_id, now(), "person deactivated")
    # Who does not come any more need not be known at a door.
    await portraits.drop_portrait(person_id)
    log.info("access.person_deactivated", person_id=str(person_id))
