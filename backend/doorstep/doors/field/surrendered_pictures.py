"""The pictures of a phone without a session, chunk by chunk, each chunk signed with its key."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, head, patch
from litestar.params import HeaderParameter, RawBody

from doorstep.core import limits, uploads
from doorstep.core.auth.permissions import public
from doorstep.core.captures import surrendered_pictures as pictures
from doorstep.core.captures.surrender import Surrender, SurrenderRefused
from doorstep.core.http.problems import problems
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.field.proof import DeviceId, SignatureOf, SignedAt
from doorstep.doors.uploads import PROGRESS_HEADERS, Offset, Sha256, progress_answer

PATH = f"{pictures.PICTURES}/{{sha256:str}}"
OPEN = public(limit="surrender_picture")
REFUSALS = problems(SurrenderRefused, pictures.PictureNotAwaited, pictures.TooManyPictures)

Length = Annotated[
    int,
    HeaderParameter(
        name="Upload-Length",
        ge=1,
        le=uploads.MAX_LENGTH,
        description="Of the whole file, in bytes.",
    ),
]


@head(
    PATH,
    operation_id="askSurrenderedPicture",
    opt=OPEN,
    response_headers=PROGRESS_HEADERS,
    responses=REFUSALS,
    tags=["sync"],
)
async def ask_progress(
    sha256: Sha256, device_id: DeviceId, signed_at: SignedAt, signature: SignatureOf
) -> Response[None]:
    """Tell from which byte a picture goes on that a capture of this phone names.

    `Doorstep-Signature` covers the lines `HEAD` with the path, device, time and SHA-256 of nothing in hex.
    Whoever is refused learns the server's time by `Doorstep-Server-Time`.
    """
    await limits.take("surrender_picture_device", str(device_id))
    claims = Surrender(device_id, signed_at, signature, b"", pictures.asks_progress(sha256))
    return progress_answer(
        await pictures.progress(sha256, claims, REQUEST_ID.get()), status_code=200
    )


@patch(
    PATH,
    operation_id="surrenderPictureChunk",
    opt=OPEN,
    status_code=204,
    response_headers=PROGRESS_HEADERS,
    responses=REFUSALS,
    request_max_body_size=uploads.MAX_CHUNK,
    tags=["sync"],
)
async def add_chunk(
    sha256: Sha256,
    body: RawBody,
    device_id: DeviceId,
    signed_at: SignedAt,
    signature: SignatureOf,
    offset: Offset,
    length: Length,
) -> Response[None]:
    """Keep a chunk of a picture that a capture of this phone names, as `addUploadChunk` does.

    `Doorstep-Signature` covers the lines `PATCH {path} {offset}/{length}`, device, time and SHA-256 of
    the chunk in hex.
    """
    await limits.take("surrender_picture_device", str(device_id))
    asks = pictures.asks_chunk(sha256, offset, length)
    claims = Surrender(device_id, signed_at, signature, bytes(body), asks)
    state = await pictures.add_chunk(sha256, offset, length, claims, REQUEST_ID.get())
    return progress_answer(state, status_code=204)


handlers = [ask_progress, add_chunk]
"""The routes of this door."""
