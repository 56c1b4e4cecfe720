"""Admins say what people look like, so that customers know who stands at their door."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import delete, put
from litestar.params import PathParameter, RawBody

from doorstep.core.auth import portraits
from doorstep.core.auth.errors import NoSuchPerson, PersonHasLeft
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import BodyTooLarge, problems
from doorstep.core.pictures import (
    FileIsNoPicture,
    PictureDamaged,
    PictureIsAnimated,
    PictureTooLarge,
)
from doorstep.core.uploads import MAX_LENGTH
from doorstep.flows import portraits as flow

Id = Annotated[UUID, PathParameter()]
MANAGE = "access:person:manage"
TAGS = ["access"]


@put(
    "/api/people/{person_id:uuid}/portrait",
    operation_id="setPortrait",
    status_code=204,
    # Pictures are decoded one by one: nobody has it done for him by the dozen.
    opt=needs(MANAGE, limit="heavy"),
    request_max_body_size=MAX_LENGTH,
    responses=problems(
        BodyTooLarge,
        NoSuchPerson,
        PersonHasLeft,
        FileIsNoPicture,
        PictureTooLarge,
        PictureIsAnimated,
        PictureDamaged,
    ),
    tags=TAGS,
)
async def set_portrait(person_id: Id, body: RawBody, actor: CurrentActor) -> None:
    """Make somebody's portrait of the picture in the body (JPEG, PNG or WebP, 8 MB at most).

    It is cut to the square in its middle and made small; of the picture nothing else is kept.
    """
    await flow.set_portrait(person_id, bytes(body), by=actor.person_id)


@delete(
    "/api/people/{person_id:uuid}/portrait",
    operation_id="removePortrait",
    opt=needs(MANAGE),
    responses=problems(NoSuchPerson),
    tags=TAGS,
)
async def remove_portrait(person_id: Id) -> None:
    """Take somebody's portrait away; without one nothing happens."""
    await portraits.remove_portrait(person_id)


handlers = [set_portrait, remove_portrait]
"""The routes of this file."""
