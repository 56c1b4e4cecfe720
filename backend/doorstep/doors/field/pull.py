"""The other half of the sync: a phone gets what its person needs to work without a signal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import HeaderParameter, QueryParameter
from msgspec import Struct

from doorstep.core import app_versions, pulls
from doorstep.core.actor import Actor
from doorstep.core.app_versions import AppTooOld
from doorstep.core.auth import devices
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import health
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.doors.field.document_kinds import Document, kind_of
from doorstep.doors.field.documents import documents_of
from doorstep.doors.field.sync import TAGS, NotAPhone, device_of

Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="The cursor of the answer that the phone has kept; without it, everything.",
    ),
]


AppVersion = Annotated[
    str | None,
    HeaderParameter(
        name="Doorstep-App-Version",
        max_length=40,
        pattern=r"^[^\x00]*$",
        description="The version of the phone's app.",
    ),
]


class Tombstone(Struct):
    """A document that is not this person's work any more: the phone forgets it."""

    kind: str
    id: UUID


class PullOut(Struct):
    """What has changed since `since`, for the phone to keep in one step with `cursor`.

    `full`: these are all documents, whatever else the phone has is to be forgotten; `since` is
    null then. An answer whose `since` is not the phone's own cursor is an answer to something
    else, and is not applied.
    """

    person_id: UUID
    since: str | None
    cursor: str
    full: bool
    server_time: datetime
    upserts: list[Document]
    tombstones: list[Tombstone]


@get(
    "/field/sync/pull",
    operation_id="pullDocuments",
    opt=needs("core:capture:sync"),
    responses=problems(NotAPhone, AppTooOld),
    tags=TAGS,
)
async def pull(actor: Actor, cursor: Cursor = None, app_version: AppVersion = None) -> PullOut:
    """Get what has changed in one's work since the cursor, or all of it without a known one.

    The person's present documents are read at one moment and compared, by content, with what this
    phone was given under its cursor. Whatever the order of commits was, what differs is sent, and
    what is no longer the person's is a tombstone. An answer that was lost costs nothing: the phone
    asks with its old cursor again. An answer is whole: there is no next page, so that a phone never
    stands with half a day's work. A version that is too old gets 426 until it is updated.
    """
    device = await device_of(actor)
    await devices.heard(device, told=None, app_version=app_version)
    app_versions.require_current(app_version)
    documents = {(kind_of(one), one.id): one for one in await documents_of(actor)}
    found = await pulls.difference(
        device.id, cursor, {key: msgspec.json.encode(one) for key, one in documents.items()}
    )
    await health.pulled(device)
    return PullOut(
        person_id=device.person_id,
        since=found.since,
        cursor=found.cursor,
        full=found.since is None,
        server_time=now(),
        upserts=[one for key, one in documents.items() if key in found.changed],
        tombstones=[Tombstone(*key) for key in found.gone],
    )


handlers = [pull]
"""The routes of this door."""
