"""What a field worker has said beside his flows, to be read again where he said it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now

LOOKS_BACK = timedelta(days=2)

# An appeal stands at its proof.
OWN_WORDS = """
SELECT w.id, w.kind, w.job_kind, w.job_id, w.words, cardinality(w.photos) AS photos, w.captured_at AS at
  FROM field_word w
 WHERE w.person_id = $1 AND w.recorded_at > $2 AND w.kind <> 'appeal'
 ORDER BY w.captured_at, w.id LIMIT 200
"""


class OwnWord(Struct):
    """A note, a problem or what was wrong before, on a job as the phone calls it, or on none."""

    id: UUID
    kind: Literal["note", "problem", "amendment"]
    job_kind: str | None
    job_id: UUID | None
    words: str
    photos: int
    at: datetime


@get(
    "/field/words", operation_id="listOwnWords", opt=needs("helpdesk:word:write"), tags=["helpdesk"]
)
async def list_own_words(actor: Actor) -> list[OwnWord]:
    """List what the person has said in the last two days, in the order in which it was said."""
    rows = await db.rows(OWN_WORDS, actor.person_id, now() - LOOKS_BACK)
    return msgspec.convert(rows, list[OwnWord])


handlers = [list_own_words]
"""The routes of this door."""
