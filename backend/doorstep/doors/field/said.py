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

# An appeal is said of the door that its proof is of.
OWN_WORDS = """
SELECT w.id, w.kind, CASE WHEN w.kind = 'appeal' THEN 'stop' ELSE w.job_kind END AS job_kind,
       coalesce(d.stop_id, w.job_id) AS job_id, w.about AS reason, '' AS about, w.words,
       cardinality(w.photos) AS photos,
       w.captured_at AS at
  FROM field_word w LEFT JOIN pod d ON d.id = w.pod_id
 WHERE w.person_id = $1 AND w.recorded_at > $2
UNION ALL
SELECT r.id, 'pieces', NULL, NULL, r.kind, array_to_string(r.labels, ', '), r.words, cardinality(r.photos),
       r.captured_at
  FROM piece_report r WHERE r.person_id = $1 AND r.recorded_at > $2
UNION ALL
SELECT a.id, 'stock', NULL, NULL, a.reason, to_char(a.quantity, 'FMS9999999') || ' × ' || p.name, a.words,
       num_nonnulls(a.photo_sha256), a.captured_at
  FROM stock_adjustment a JOIN product p ON p.id = a.product_id
 WHERE a.proposed_by = $1 AND a.proposed_at > $2 AND a.count_line_id IS NULL
UNION ALL
SELECT u.id, 'goods', NULL, NULL, '', u.code, u.words, num_nonnulls(u.photo_sha256), u.captured_at
  FROM unannounced_goods u WHERE u.actor_id = $1 AND u.recorded_at > $2
 ORDER BY at, id LIMIT 200
"""


class OwnWord(Struct):
    """A note, a problem, what was wrong before or why a proof should count; on a job, or on none.

    Also reports: of boxes that are damaged or missing, of stock that is not as its books say, of goods
    that nobody expected; then `about` names the labels, the goods or the code. `reason` is what was chosen.
    """

    id: UUID
    kind: Literal["note", "problem", "amendment", "appeal", "pieces", "stock", "goods"]
    job_kind: str | None
    job_id: UUID | None
    reason: str
    about: str
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
