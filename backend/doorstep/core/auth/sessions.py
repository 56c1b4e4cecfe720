"""Sessions: how somebody gets in, stays in and is thrown out.

An access token works for 10 minutes, a refresh token once within 30 days. Whoever comes back with a
spent one gets the same successor again while nobody has used that (the answer was lost, and the phone
may have been without a signal for days), and for 30 s in any case (two requests at once). After
that it was stolen, and ends the session for everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
import structlog

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth import passwords, sql, tokens
from doorstep.core.auth.errors import (
    DeviceIsLocked,
    DeviceIsRevoked,
    NoSuchPerson,
    NotSignedIn,
    PersonSignsInOtherwise,
    RefreshTokenReused,
    SignInFailed,
)
from doorstep.core.auth.people import FIELD_ROLES
from doorstep.core.clock import now
from doorstep.core.ids import uuid7

log = structlog.get_logger(__name__)

ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=30)
GRACE = timedelta(seconds=30)
INTEGRATION_LIFE = timedelta(days=3650)
PIN_ATTEMPTS = 10

_WHY_NOT = {"locked": DeviceIsLocked, "revoked": DeviceIsRevoked}
"""What a phone is told that comes back to a session it no longer gets."""


class Tokens(msgspec.Struct, frozen=True):
    """What a sign-in hands out, and each refresh anew."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    session_id: UUID
    person_id: UUID
    device_id: UUID | None


class IntegrationToken(msgspec.Struct, frozen=True):
    """A long-lived token as it is shown once; revoked by its session."""

    token: str
    session_id: UUID
    expires_at: datetime


class SignedIn(msgspec.Struct, frozen=True):
    """Who stands behind an access token, and by which session."""

    actor: Actor
    session_id: UUID
    device_state: str | None


async def find_session(token: str, *, request_id: str = "") -> SignedIn:
    """Tell who comes with this access token: one statement; a second one once a minute and at first use.

    Raises: NotSignedIn if it is unknown, expired or revoked, or its person or device is.
    """
    if not tokens.is_token(token):
        raise NotSignedIn
    moment = now()
    found = await db.row(sql.FIND_SESSION, tokens.hash_of(token), moment)
    if found is None:
        raise NotSignedIn
    if found["long_unseen"]:
        await db.execute(sql.SEEN, found["session_id"], moment)
    if found["first_use"]:
        await db.execute(sql.USED, tokens.hash_of(token), moment)
    actor = Actor(
        role=found["role"],
        source="phone" if found["source"] == "phone" else "person",
        person_id=found["person_id"],
        name=found["name"],
        device_id=found["device_id"],
        channel_ids=tuple(found["channel_ids"]),
        location_id=found["location_id"],
        vendor_id=found["vendor_id"],
        request_id=request_id,
    )
    return SignedIn(actor, found["session_id"], found["device_state"])


async def authenticate(token: str, *, request_id: str = "") -> Actor:
    """Tell on whose behalf a request with this access token acts.

    Raises: NotSignedIn.
    """
    return (await find_session(token, request_id=request_id)).actor


async def sign_in(login: str, password: str) -> Tokens:
    """Open a session for staff; an unknown login costs the same work as a wrong password.

    Raises: SignInFailed.
    """
    found = await db.row(
        "SELECT id, password_hash FROM person WHERE lower(login) = lower($1) AND active", login
    )
    matches = await passwords.verify(password, found["password_hash"] if found else None)
    if not matches or found is None:
        log.info("access.sign_in_failed")
        raise SignInFailed
    return await open_session(found["id"], source="person")


async def sign_in_device(device_id: UUID, pin: str) -> Tokens:
    """Open a new session on an enrolled device and end its older ones; ten wrong PINs lock it.

    Raises: SignInFailed, DeviceIsLocked, DeviceIsRevoked.
    """
    counted = await db.row(sql.COUNT_PIN_ATTEMPT, device_id, PIN_ATTEMPTS, now())
    matches = await passwords.verify(
        tokens.peppered(pin, device_id), counted["pin_hash"] if counted else None
    )
    if counted is None or not matches:
        state = await db.value("SELECT state FROM device WHERE id = $1", device_id)
        log.info("access.pin_failed", device_id=str(device_id), state=state)
        raise _WHY_NOT.get(state, SignInFailed)
    return await _sign_in_device(counted["person_id"], device_id)


@db.transactional
async def _sign_in_device(person_id: UUID, device_id: UUID) -> Tokens:
    if not await db.execute(sql.PIN_WAS_RIGHT, device_id, now()):
        # Somebody has shut it out since the attempt was counted.
        state = await db.value("SELECT state FROM device WHERE id = $1", device_id)
        raise _WHY_NOT.get(state, SignInFailed)
    await db.execute(sql.REVOKE_SESSIONS_OF_DEVICE, device_id, now(), "signed in anew")
    return await open_session(person_id, source="phone", device_id=device_id)


@db.transactional
async def open_session(person_id: UUID, *, source: str, device_id: UUID | None = None) -> Tokens:
    """Open a session of somebody who has proved who they are."""
    session_id = uuid7()
    await db.execute(sql.INSERT_SESSION, session_id, person_id, device_id, source, "", now())
    return await _issue(tokens.new_token(), session_id, person_id, device_id)


async def _issue(refresh: str, session_id: UUID, person_id: UUID, device_id: UUID | None) -> Tokens:
    moment = now()
    issued = Tokens(
        access_token=tokens.access_of(refresh, session_id),
        access_expires_at=moment + ACCESS_LIFE,
        refresh_token=refresh,
        refresh_expires_at=moment + REFRESH_LIFE,
        session_id=session_id,
        person_id=person_id,
        device_id=device_id,
    )
    await db.execute_many(
        sql.ADD_TO_SESSION,
        [
            (tokens.hash_of(issued.access_token), session_id, "access", issued.access_expires_at),
            (tokens.hash_of(refresh), session_id, "refresh", issued.refresh_expires_at),
        ],
    )
    return issued


async def refresh(token: str) -> Tokens:
    """Spend a refresh token for its successor; a spent one gets it again until it was used.

    Raises: NotSignedIn, DeviceIsLocked, DeviceIsRevoked; RefreshTokenReused after ending the
    session of a token whose successor was in use already.
    """
    if not tokens.is_token(token):
        raise NotSignedIn
    try:
        rotated = await _rotate(token)
    except (DeviceIsLocked, DeviceIsRevoked):
        await db.execute(sql.TOLD_ITS_STATE, tokens.hash_of(token), now())
        raise
    # Raised out here: inside the transaction it would undo the end of the session.
    if rotated is None:
        raise RefreshTokenReused
    return rotated


@db.transactional
async def _rotate(token: str) -> Tokens | None:
    hashed, moment = tokens.hash_of(token), now()
    session = await db.row(sql.LOCK_SESSION_OF_REFRESH, hashed)
    if session is None:
        raise NotSignedIn
    if not session["welcome"]:
        raise _WHY_NOT.get(session["device_state"], NotSignedIn)
    session_id, person_id = session["session_id"], session["person_id"]
    device_id = session["device_id"]
    presented = await db.one(sql.READ_TOKEN, hashed)
    if presented["expires_at"] <= moment:
        raise NotSignedIn
    successor = tokens.successor_of(token, session_id)
    if presented["spent_at"] is None:
        await db.execute(sql.SPEND_REFRESH, hashed, moment)
        await db.execute(sql.DELETE_EXPIRED_TOKENS, session_id, moment)
        return await _issue(successor, session_id, person_id, device_id)
    if moment - presented["spent_at"] > GRACE:
        issued = tokens.hash_of(tokens.access_of(successor, session_id)), tokens.hash_of(successor)
        if await db.value(sql.WAS_USED, *issued):
            await db.execute(sql.REVOKE_SESSION, session_id, moment, "refresh token used twice")
            log.warning("access.refresh_reused", session_id=str(session_id))
            return None
        # Nobody has ever had them in hand, so their time begins now.
        ends = moment + ACCESS_LIFE, moment + REFRESH_LIFE
        await db.execute_many(sql.RENEW_TOKEN, list(zip(issued, ends, strict=True)))
    return await _issued_before(successor, session_id, person_id, device_id)


async def _issued_before(
    refresh_token: str, session_id: UUID, person_id: UUID, device_id: UUID | None
) -> Tokens:
    access = tokens.access_of(refresh_token, session_id)
    access_row = await db.one(sql.READ_TOKEN, tokens.hash_of(access))
    refresh_row = await db.one(sql.READ_TOKEN, tokens.hash_of(refresh_token))
    return Tokens(
        access_token=access,
        access_expires_at=cast("datetime", access_row["expires_at"]),
        refresh_token=refresh_token,
        refresh_expires_at=cast("datetime", refresh_row["expires_at"]),
        session_id=session_id,
        person_id=person_id,
        device_id=device_id,
    )


async def revoke_session(session_id: UUID, why: str) -> None:
    """End a session with all its tokens; nothing happens if it is over already."""
    await db.execute(sql.REVOKE_SESSION, session_id, now(), why)


@db.transactional
async def sign_out(session_id: UUID) -> None:
    """End one's own session; a device that was told to sign out has done so."""
    await db.execute(sql.SIGNED_OUT, session_id, now())
    await db.execute(sql.REVOKE_SESSION, session_id, now(), "signed out")


@db.transactional
async def issue_integration_token(person_id: UUID, label: str) -> IntegrationToken:
    """Make a long-lived token for a system that acts as this person (the shop as sales).

    Raises: NoSuchPerson; PersonSignsInOtherwise for field workers and inactive people.
    """
    found = await db.row("SELECT role, active FROM person WHERE id = $1", person_id)
    if found is None:
        raise NoSuchPerson
    if not found["active"] or found["role"] in FIELD_ROLES:
        raise PersonSignsInOtherwise
    token, session_id, expires_at = tokens.new_token(), uuid7(), now() + INTEGRATION_LIFE
    await db.execute(sql.INSERT_SESSION, session_id, person_id, None, "integration", label, now())
    await db.execute(sql.ADD_TO_SESSION, tokens.hash_of(token), session_id, "access", expires_at)
    log.info("access.integration_token_issued", person_id=str(person_id), label=label)
    return IntegrationToken(token, session_id, expires_at)


async def forget_old_sessions() -> int:
    """Delete sessions that ended more than 30 days ago; tell how many."""
    return await db.execute(sql.FORGET_SESSIONS, now() - REFRESH_LIFE)
