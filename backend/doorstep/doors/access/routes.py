"""Sign-in, enrolment, sessions; and, for admins, people, devices and integration tokens."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody, PathParameter

from doorstep.core import limits
from doorstep.core.actor import Actor
from doorstep.core.auth import device_marks, service
from doorstep.core.auth.errors import (
    DeviceEnrolledByAnother,
    DeviceIsLocked,
    DeviceIsRevoked,
    EnrolmentCodeNotValid,
    KeyNotOnCurve,
    LoginAlreadyTaken,
    NoSuchPerson,
    PasswordTooWeak,
    PersonNotComplete,
    PersonSignsInOtherwise,
    RefreshTokenReused,
    SignInFailed,
)
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import PERMISSIONS, may, needs, public
from doorstep.core.http.problems import NotSignedIn, problems
from doorstep.doors.access import devices, portraits
from doorstep.doors.access.schemas import (
    Enrol,
    Enrolled,
    Me,
    NewIntegrationToken,
    NewPerson,
    PersonCreated,
    Refresh,
    SignIn,
    SignInDevice,
)
from doorstep.flows import phones_lost
from doorstep.settings import settings

Id = Annotated[UUID, PathParameter()]
OWN = needs("access:session:own", hands_in=True)
MANAGE = needs("access:person:manage")
TAGS = ["access"]

REMEMBERED_S = 400 * 86_400
"""As long as browsers keep a cookie at most."""


@post(
    "/api/sign-in",
    operation_id="signIn",
    status_code=200,
    opt=public(limit="sign_in"),
    responses=problems(SignInFailed),
    tags=TAGS,
)
async def sign_in(data: JSONBody[SignIn]) -> service.Tokens:
    """Open a session for staff."""
    await limits.take("login", data.login.lower())
    return await service.sign_in(data.login, data.password)


@post(
    "/api/sign-in/device",
    operation_id="signInDevice",
    status_code=200,
    opt=public(limit="sign_in"),
    responses=problems(SignInFailed, DeviceIsLocked, DeviceIsRevoked),
    tags=TAGS,
)
async def sign_in_device(data: JSONBody[SignInDevice]) -> service.Tokens:
    """Open a new session on an enrolled device; ten wrong PINs lock it."""
    await limits.take("device_pin", str(data.device_id))
    return await service.sign_in_device(data.device_id, data.pin)


@post(
    "/api/enrol",
    operation_id="enrolDevice",
    opt=public(limit="enrol"),
    responses=problems(
        EnrolmentCodeNotValid, DeviceIsRevoked, DeviceEnrolledByAnother, KeyNotOnCurve
    ),
    tags=TAGS,
)
async def enrol(data: JSONBody[Enrol], request: Request[Any, Any, Any]) -> Response[Enrolled]:
    """Make a device of the caller with a code from the office; the code is used up.

    With a key that this person has enrolled before, the device goes on under its id, with the new
    PIN. A key of somebody else is refused, and the code stays good: a phone has a key per person.
    A cookie remembers the devices of this browser: one that it no longer knows has lost what it
    stored, and a desk hears of it.
    """
    tokens = await service.enrol(
        data.code, label=data.device_label, pin=data.pin, key=data.public_key
    )
    before = device_marks.unpack(request.cookies.get(device_marks.COOKIE, ""))
    # An app that does not say what it still has is not held to have lost anything.
    known = before if data.known_devices is None else data.known_devices
    here = [d for d in (tokens.device_id, *before) if d == tokens.device_id or d in known]
    gone = {*before} - {*here}
    lost = bool(gone) and await phones_lost.note_lost(gone)
    return Response(
        Enrolled(**msgspec.structs.asdict(tokens), lost=lost),
        cookies=[_remember(device_marks.pack(here))],
    )


def _remember(marks: str) -> Cookie:
    return Cookie(
        key=device_marks.COOKIE,
        value=marks,
        path="/api/enrol",
        max_age=REMEMBERED_S,
        httponly=True,
        secure=settings().cookie_secure,
        samesite="strict",
    )


@post(
    "/api/session/refresh",
    operation_id="refreshSession",
    status_code=200,
    opt=public(limit="refresh"),
    responses=problems(NotSignedIn, RefreshTokenReused, DeviceIsLocked, DeviceIsRevoked),
    tags=TAGS,
)
async def refresh_session(data: JSONBody[Refresh]) -> service.Tokens:
    """Spend the refresh token for the next pair; asked again, it gets the same pair until that is used."""
    return await service.refresh(data.refresh_token)


@post("/api/session/sign-out", operation_id="signOut", status_code=204, opt=OWN, tags=TAGS)
async def sign_out(request: Request[Actor, UUID, Any]) -> None:
    """End the session of the token that this request comes with."""
    await service.sign_out(request.auth)


@get("/api/me", operation_id="readMe", opt=OWN, tags=TAGS)
async def read_me(actor: CurrentActor) -> Me:
    """Tell who is signed in and what the role may do."""
    if actor.person_id is None:
        raise NotSignedIn
    return Me(
        person_id=actor.person_id,
        name=actor.name,
        role=actor.role,
        source=actor.source,
        device_id=actor.device_id,
        channel_ids=list(actor.channel_ids),
        location_id=actor.location_id,
        vendor_id=actor.vendor_id,
        permissions=sorted(name for name in PERMISSIONS if may(actor.role, name)),
    )


@post(
    "/api/people",
    operation_id="createPerson",
    opt=MANAGE,
    responses=problems(
        LoginAlreadyTaken, PersonSignsInOtherwise, PasswordTooWeak, PersonNotComplete
    ),
    tags=TAGS,
)
async def create_person(data: JSONBody[NewPerson], actor: CurrentActor) -> PersonCreated:
    """Add a person: staff with login and password, field workers without."""
    given = msgspec.structs.asdict(data)
    return PersonCreated(await service.create_person(**given, created_by=actor.person_id))


@post(
    "/api/people/{person_id:uuid}/enrolment-codes",
    operation_id="makeEnrolmentCode",
    opt=MANAGE,
    responses=problems(NoSuchPerson, PersonSignsInOtherwise),
    tags=TAGS,
)
async def make_enrolment_code(person_id: Id, actor: CurrentActor) -> service.EnrolmentCode:
    """Make a code that enrols one device within 24 hours; it is shown this once."""
    return await service.make_enrolment_code(person_id, created_by=actor.person_id)


@post(
    "/api/people/{person_id:uuid}/deactivate",
    operation_id="deactivatePerson",
    status_code=204,
    opt=MANAGE,
    responses=problems(NoSuchPerson),
    tags=TAGS,
)
async def deactivate_person(person_id: Id, actor: CurrentActor) -> None:
    """Shut a person out with all devices and sessions; the portrait is deleted."""
    await service.deactivate_person(person_id, by=actor.person_id)


@post(
    "/api/people/{person_id:uuid}/integration-tokens",
    operation_id="issueIntegrationToken",
    opt=MANAGE,
    responses=problems(NoSuchPerson, PersonSignsInOtherwise),
    tags=TAGS,
)
async def issue_integration_token(
    person_id: Id, data: JSONBody[NewIntegrationToken]
) -> service.IntegrationToken:
    """Make a long-lived token for a system that acts as this person; it is shown this once."""
    return await service.issue_integration_token(person_id, data.label)


@post(
    "/api/sessions/{session_id:uuid}/revoke",
    operation_id="revokeSession",
    status_code=204,
    opt=MANAGE,
    tags=TAGS,
)
async def revoke_session(session_id: Id) -> None:
    """End a session, an integration token's too; one that is over or unknown stays so."""
    await service.revoke_session(session_id, "revoked by an admin")


handlers = [
    sign_in,
    sign_in_device,
    enrol,
    refresh_session,
    sign_out,
    read_me,
    create_person,
    make_enrolment_code,
    deactivate_person,
    issue_integration_token,
    revoke_session,
    *devices.handlers,
    *portraits.handlers,
]
"""The routes of this door."""
