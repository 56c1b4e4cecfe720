"""The pictures of a phone without a session: those that its captures here name, and nothing else.

Each request is signed like a surrender, under a fresh time. It may be heard and sent again: a chunk has
its place and the whole its hash, so that changes nothing. What a picture is was settled when its
capture was signed, by the hash; so it may count for what that capture is worth.
"""

from __future__ import annotations

from datetime import timedelta

from doorstep.core import db, uploads
from doorstep.core.auth.devices import Device
from doorstep.core.captures.surrender import PATH, Surrender, actor_of, recognise
from doorstep.core.clock import now
from doorstep.core.errors import NotFound, Refusal

PICTURES = f"{PATH}/pictures"

MOST_A_DAY = 1000
"""Pictures that may be begun in a day in the name of a person: a week without a signal is a third."""

BEGUN = "SELECT EXISTS (SELECT FROM upload WHERE person_id = $1 AND sha256 = $2)"

# A capture is searched as it came, since each type names its pictures in its own way, and what
# nobody can carry out may be needed as a proof all the same. Asked once, before the first chunk.
NAMED = """
SELECT EXISTS (SELECT FROM capture
   WHERE person_id = $1 AND received_at > $2 AND device_id = $3
     AND position(convert_to($4, 'UTF8') IN body) > 0)
"""

AWAITED_FOR = timedelta(days=90)
"""How far back captures are searched."""

BEGUN_SINCE = "SELECT count(*) FROM upload WHERE person_id = $1 AND started_at > $2"


class PictureNotAwaited(NotFound):
    """No capture of this phone that is here names it: the phone surrenders that first."""

    title = "No capture of this phone names this picture."


class TooManyPictures(Refusal):
    """More than a phone can have kept; the rest comes another day."""

    status = 429
    title = "Too many pictures for one day. Please go on tomorrow."


async def progress(sha256: str, surrender: Surrender, request_id: str) -> uploads.Progress:
    """Tell from which byte a picture goes on that was begun by this person, on whichever phone.

    Raises: SurrenderRefused, PictureNotAwaited, TooManyPictures; see `uploads.progress`.
    """
    device = await recognise(surrender)
    await _require_awaited(device, sha256)
    return await uploads.progress(sha256, actor=actor_of(device, request_id))


async def add_chunk(
    sha256: str, offset: int, length: int, surrender: Surrender, request_id: str
) -> uploads.Progress:
    """Keep the next part of a picture (the body of the surrender).

    Raises: SurrenderRefused, PictureNotAwaited, TooManyPictures; see `uploads.add_chunk`.
    """
    device = await recognise(surrender)
    await _require_awaited(device, sha256)
    actor = actor_of(device, request_id)
    return await uploads.add_chunk(sha256, offset, surrender.body, length=length, actor=actor)


async def _require_awaited(device: Device, sha256: str) -> None:
    if await db.value(BEGUN, device.person_id, sha256):
        return
    moment = now()
    since = moment - AWAITED_FOR
    if not await db.value(NAMED, device.person_id, since, device.id, sha256):
        raise PictureNotAwaited
    if await db.value(BEGUN_SINCE, device.person_id, moment - timedelta(days=1)) >= MOST_A_DAY:
        raise TooManyPictures(headers={"Retry-After": "3600"})


def asks_progress(sha256: str) -> str:
    """Return what the signature of a question for progress says."""
    return f"HEAD {PICTURES}/{sha256}"


def asks_chunk(sha256: str, offset: int, length: int) -> str:
    """Return what the signature of a chunk says, beside its bytes."""
    return f"PATCH {PICTURES}/{sha256} {offset}/{length}"
