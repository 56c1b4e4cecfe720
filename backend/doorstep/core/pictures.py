"""Pictures as people see them: two upright JPEGs without metadata, made from what a phone uploaded.

The upload itself is never shown. Decoding happens in a child process (`picture_child`); who may see
a picture is decided where its link is made (`url`), and the link ends after five minutes (IA6).
"""

from __future__ import annotations

from typing import Any, ClassVar

import structlog

from doorstep.core import blobs, db, media, outbox, signed_urls
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.jobs import job
from doorstep.core.picture_child import DecodeChild
from doorstep.core.picture_decode import MAX_PIXELS, SIZES, Answer
from doorstep.core.picture_measure import Measure

JPEG = "image/jpeg"

log = structlog.get_logger(__name__)

_child = DecodeChild()


class FileIsNoPicture(Invalid):
    status: ClassVar[int] = 415
    title = "The file is not a JPEG, PNG or WebP picture."


class PictureTooLarge(Invalid):
    title = "The picture has more pixels than can be shown."


class PictureDamaged(Invalid):
    title = "The picture is damaged and cannot be shown."


class PictureIsAnimated(Invalid):
    title = "The picture moves. Please take one that stands still."


class NoSuchPicture(NotFound):
    """The link is wrong or has ended, or the picture is not there: one answer for all of them."""

    title = "There is no such picture, or the link to it has ended."


def url(sha256: str, derivative: str, *, viewer: str) -> str:
    """Make a link to a derivative (`large`, `thumbnail`) for one viewer, good for five minutes.

    The caller has checked that the viewer may see the picture.
    """
    return signed_urls.sign(_path(sha256, derivative), viewer=viewer)


async def opened(
    sha256: str, derivative: str, *, viewer: str, expires: int, signature: str
) -> bytes:
    """Hand out the JPEG behind a signed link and log who looked.

    Raises: NoSuchPicture.
    """
    path = _path(sha256, derivative)
    if not signed_urls.verify(path, viewer=viewer, expires=expires, signature=signature):
        raise NoSuchPicture
    data = await _shown(sha256, derivative, viewer)
    if data is None:
        raise NoSuchPicture
    return data


async def thumbnail(sha256: str, *, viewer: str) -> bytes | None:
    """Hand out the small JPEG of a picture and log who looked; None where there is none yet.

    The caller has checked that the viewer may see the picture.
    """
    return await _shown(sha256, "thumbnail", viewer)


async def _shown(sha256: str, derivative: str, viewer: str) -> bytes | None:
    stored = await db.value(
        "SELECT blob_sha256 FROM picture WHERE sha256 = $1 AND derivative = $2", sha256, derivative
    )
    if stored is None:
        return None
    log.info("core.picture_viewed", sha256=sha256, derivative=derivative, viewer=viewer)
    try:
        return await blobs.get(stored)
    except blobs.BlobMissing:
        return None


async def derive(sha256: str) -> None:
    """Make and keep derivatives and measure of an upload; nothing happens when they are there.

    Raises: FileIsNoPicture, PictureTooLarge, PictureDamaged, DecoderDied, blobs.BlobMissing.
    """
    made = await db.value(
        "SELECT count(*) FROM picture p JOIN picture_measure USING (sha256) WHERE p.sha256 = $1",
        sha256,
    )
    if made == len(SIZES):
        return
    answer = await _child.derive(await blobs.get(sha256))
    raise_refusal(answer)
    kept = [
        (sha256, one.name, await blobs.put(one.data, mime=JPEG), one.width, one.height)
        for one in answer.derivatives
    ]
    await _keep(sha256, kept, answer.measure)


@db.transactional
async def _keep(
    sha256: str, derivatives: list[tuple[str, str, str, int, int]], found: Measure | None
) -> None:
    """Keep what is shown and what was measured together: a picture that is shown can be judged."""
    await db.execute_many(
        "INSERT INTO picture (sha256, derivative, blob_sha256, width, height)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        derivatives,
    )
    if found is not None:
        await db.execute(
            "INSERT INTO picture_measure (sha256, sharpness, mean, p95, phash, bands, codes)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            sha256,
            found.sharpness,
            found.mean,
            found.p95,
            found.phash,
            bands(found.phash),
            found.codes,
        )


def bands(phash: bytes) -> list[int]:
    """Cut a hash into 16 numbered pieces of 16 bits, as the index keeps them.

    Two hashes that differ in at most 15 bits have one piece at least in common.
    """
    return [n << 16 | int.from_bytes(phash[2 * n : 2 * n + 2]) for n in range(len(phash) // 2)]


@job("core.derive_pictures", timeout=60)
async def derive_pictures(payload: dict[str, Any]) -> None:
    """Make an upload visible, then say that its bytes are verified and whether they are a picture.

    A file that is no picture, or one that cannot be shown, stays stored as evidence; the flows
    decide from `picture` and `refusal` what it is good for (SPEC V4).
    """
    sha256 = payload["sha256"]
    refused = None
    try:
        await derive(sha256)
    except Invalid as refusal:
        refused = refusal
    await _state_verified(sha256, refused)


@db.transactional
async def _state_verified(sha256: str, refused: Invalid | None) -> None:
    reason = None if refused is None else refused.problem_type()
    if refused is not None:
        log.warning("core.picture_refused", sha256=sha256, reason=reason, detail=refused.detail)
        await db.execute(
            "INSERT INTO picture_refusal (sha256, reason, detail) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING",
            sha256,
            reason,
            refused.detail,
        )
    await outbox.add(
        "flows.blob_verified",
        {"sha256": sha256, "picture": refused is None, "refusal": reason},
        key=f"blob_verified:{sha256}",
    )
    await outbox.done()


async def refusal_of(sha256: str) -> str | None:
    """Tell why an upload is not shown (`file-is-no-picture`); None while it is, or may yet be."""
    reason: str | None = await db.value(
        "SELECT reason FROM picture_refusal WHERE sha256 = $1", sha256
    )
    return reason


async def stop() -> None:
    """End the decode child of this process."""
    await _child.stop()


def _path(sha256: str, derivative: str) -> str:
    return f"/pictures/{sha256}/{derivative}"


def raise_refusal(answer: Answer) -> None:
    """Say by name why the decode child has made nothing of a picture; nothing happens if it has.

    Raises: FileIsNoPicture, PictureTooLarge, PictureIsAnimated, PictureDamaged.
    """
    if answer.refusal == "not_a_picture":
        raise FileIsNoPicture(f"Its content is {answer.detail}.", accepted=sorted(media.PICTURES))
    if answer.refusal == "too_large":
        raise PictureTooLarge(answer.detail, max_pixels=MAX_PIXELS)
    if answer.refusal == "animated":
        raise PictureIsAnimated(answer.detail)
    if answer.refusal:
        raise PictureDamaged(answer.detail)
