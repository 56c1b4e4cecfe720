"""Where phones hand in pictures chunk by chunk, and where signed links open them.

HEAD asks from which byte to go on, PATCH brings the next chunk. Both answer with Upload-Offset,
Upload-Length (once known) and Upload-Complete: `?1` only when the bytes are verified and kept, so
only then may the phone let go of its copy.
"""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, head, patch
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, PathParameter, QueryParameter, RawBody

from doorstep.core import pictures, uploads
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs, public

Sha256 = Annotated[
    str, PathParameter(pattern="^[0-9a-f]{64}$", description="Hash of the whole file, in hex.")
]
Offset = Annotated[
    int, HeaderParameter(name="Upload-Offset", ge=0, le=uploads.MAX_LENGTH, description="Bytes.")
]
Length = Annotated[
    int | None,
    HeaderParameter(
        name="Upload-Length", ge=1, description="Of the whole file; needed with the first chunk."
    ),
]
LinkPart = Annotated[str, QueryParameter(description="As in the link; never made by hand.")]
MOMENT_DIGITS = 12

PROGRESS_HEADERS = [
    ResponseHeader(
        name="Upload-Offset", documentation_only=True, description="The byte to go on from."
    ),
    ResponseHeader(name="Upload-Length", documentation_only=True),
    ResponseHeader(
        name="Upload-Complete",
        documentation_only=True,
        description="?1 once the bytes are verified and kept, else ?0.",
    ),
]
UPLOADING = needs("core:upload:write", limit="upload", hands_in=True)

PICTURE_HEADERS = {
    "Content-Disposition": "inline; filename=picture.jpg",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=300",
    "Referrer-Policy": "no-referrer",
}


@head(
    "/uploads/{sha256:str}",
    operation_id="askUploadProgress",
    opt=UPLOADING,
    response_headers=PROGRESS_HEADERS,
    tags=["uploads"],
)
async def ask_progress(sha256: Sha256, actor: CurrentActor) -> Response[None]:
    """Tell from which byte an upload goes on; one that nobody began goes on from 0."""
    return progress_answer(await uploads.progress(sha256, actor=actor), status_code=200)


@patch(
    "/uploads/{sha256:str}",
    operation_id="addUploadChunk",
    opt=UPLOADING,
    status_code=204,
    response_headers=PROGRESS_HEADERS,
    request_max_body_size=uploads.MAX_CHUNK,
    tags=["uploads"],
)
async def add_chunk(
    sha256: Sha256, body: RawBody, actor: CurrentActor, offset: Offset, length: Length = None
) -> Response[None]:
    """Keep a chunk of 32 kB (64 kB at most); the last one has the hash checked.

    A wrong offset is 409 with the right one in Upload-Offset; bytes that do not have the announced
    hash are 422 and the upload starts over; a file above 8 MB is 413.
    """
    state = await uploads.add_chunk(sha256, offset, bytes(body), length=length, actor=actor)
    return progress_answer(state, status_code=204)


@get(
    "/pictures/{sha256:str}/{derivative:str}",
    operation_id="openPicture",
    opt=public(),
    responses={200: ResponseSpec(bytes, media_type=pictures.JPEG, description="The JPEG.")},
    tags=["uploads"],
)
async def open_picture(
    sha256: FromPath[str],
    derivative: FromPath[str],
    viewer: LinkPart = "",
    exp: LinkPart = "",
    sig: LinkPart = "",
) -> Response[bytes]:
    """Open a picture by its signed link; a wrong link and one that has ended look the same."""
    data = await pictures.opened(
        sha256, derivative, viewer=viewer, expires=_moment(exp), signature=sig
    )
    return Response(data, media_type=pictures.JPEG, headers=PICTURE_HEADERS)


def _moment(exp: str) -> int:
    """Read the end of a link; what is no moment at all is the moment zero, long past."""
    plain = exp.isascii() and exp.isdigit() and len(exp) <= MOMENT_DIGITS
    return int(exp) if plain else 0


def progress_answer(state: uploads.Progress, *, status_code: int) -> Response[None]:
    """Tell how far an upload has come."""
    headers = {
        "Upload-Offset": str(state.received),
        "Upload-Complete": "?1" if state.complete else "?0",
        "Cache-Control": "no-store",
    }
    if state.length is not None:
        headers["Upload-Length"] = str(state.length)
    return Response(None, status_code=status_code, headers=headers, media_type="text/plain")


handlers = [ask_progress, add_chunk, open_picture]
"""The routes of this door."""
