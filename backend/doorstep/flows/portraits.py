"""A portrait is made of what a desk uploads, and its file deleted when nobody has that portrait any more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import blobs, db, pictures
from doorstep.core.auth import portraits
from doorstep.core.jobs import job
from doorstep.core.picture_child import DecodeChild, DecoderDied
from doorstep.flows import erasure_sql


async def set_portrait(person_id: UUID, data: bytes, *, by: UUID | None) -> None:
    """Make somebody's portrait of a picture: square, small, upright, nothing else in it.

    The picture itself is not kept. Raises: NoSuchPerson, PersonHasLeft; FileIsNoPicture, PictureTooLarge,
    PictureIsAnimated, PictureDamaged; StoreUnavailable.
    """
    await portraits.check_person(person_id)
    made = await _make(data)
    sha256 = await blobs.put(made, mime=pictures.JPEG)
    await portraits.set_portrait(person_id, sha256, by=by)


async def _make(data: bytes) -> bytes:
    # Portraits are rare: a child of its own for each costs less than one that waits for the next.
    child = DecodeChild("doorstep.core.portrait_decode")
    try:
        answer = await child.derive(data)
    except (DecoderDied, TimeoutError) as died:
        raise pictures.PictureDamaged("It cannot be decoded in the time there is.") from died
    finally:
        await child.stop()
    pictures.raise_refusal(answer)
    return answer.derivatives[0].data


@job("flows.delete_portrait_file", timeout=30)
async def delete_portrait_file(payload: dict[str, Any]) -> None:
    """Delete the file of a portrait, unless it is somebody's again: {sha256}."""
    if await db.value(erasure_sql.UNUSED, payload["sha256"]):
        await blobs.delete(payload["sha256"])
