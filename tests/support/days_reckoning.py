"""Every capture that a phone has told of is on the server once, with its effect; nothing else is.

Read from the rows and the files, never through the code that wrote them. Each check tells in words
what does not add up.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from doorstep.core.blobs import path_of

_TOLD = """
CREATE TEMP TABLE told (event_id uuid, person_id uuid, type text, effects uuid[], pictures text[],
  verdict text, quarantined boolean)
"""
_COLUMNS = ("event_id", "person_id", "type", "effects", "pictures", "verdict", "quarantined")

# What an event that counts leaves behind: rows under ids that the phone has made. A step that came
# too early is no step yet; `held_step` is looked at by itself.
_EFFECT = """
CREATE TEMP VIEW effect AS
SELECT 'goods.unannounced' AS type, id FROM unannounced_goods
UNION ALL SELECT 'stock.propose', id FROM stock_adjustment
UNION ALL SELECT 'checklist.answer', id FROM shift_answer
UNION ALL SELECT 'scans.add', scan_uid FROM scan, begun WHERE recorded_at > begun.at
UNION ALL SELECT 'shift.open', open_event_id FROM shift WHERE open_event_id IS NOT NULL
UNION ALL SELECT 'shift.close', close_event_id FROM shift WHERE close_event_id IS NOT NULL
UNION ALL SELECT 'check.scan', id FROM qc_scan, begun WHERE recorded_at > begun.at
UNION ALL SELECT 'run.accept', accept_event_id FROM delivery_run WHERE accept_event_id IS NOT NULL
UNION ALL SELECT 'pod.record', id FROM pod
UNION ALL SELECT 'visit.complete', id FROM visit_report
UNION ALL SELECT CASE stage WHEN 1005 THEN 'pick.start' WHEN 1006 THEN 'check.scan'
    ELSE 'pack.close' END, event_id
  FROM journey_event, begun
 WHERE kind = 'stage' AND stage IN (1005, 1006, 1007) AND recorded_at > begun.at
"""

WRONGS = {
    "told of twice": "SELECT event_id FROM told GROUP BY event_id HAVING count(*) > 1",
    "lost: the server has no receipt for it": """
SELECT t.event_id, t.type FROM told t LEFT JOIN capture c USING (event_id) WHERE c.verdict IS NULL
""",
    "kept under another person or type": """
SELECT event_id FROM told t JOIN capture c USING (event_id)
 WHERE (t.person_id, t.type) IS DISTINCT FROM (c.person_id, c.type)
""",
    "from nowhere: no phone has captured it": """
SELECT event_id, type FROM capture c WHERE NOT EXISTS (SELECT FROM told t WHERE t.event_id = c.event_id)
""",
    "told another receipt than is kept": """
SELECT event_id, t.verdict, c.verdict AS kept FROM told t JOIN capture c USING (event_id)
 WHERE t.verdict IS DISTINCT FROM c.verdict
""",
    "applied, but its effect is not there once": """
SELECT t.event_id, t.type, wanted.id, count(e.id) FROM told t JOIN capture c USING (event_id)
 CROSS JOIN unnest(t.effects) AS wanted (id) LEFT JOIN effect e ON (e.type, e.id) = (t.type, wanted.id)
 WHERE c.verdict IN ('applied', 'duplicate', 'held') GROUP BY 1, 2, 3 HAVING count(e.id) <> 1
""",
    "an effect of nothing that was applied": """
SELECT e.type, e.id FROM effect e WHERE NOT EXISTS (
  SELECT FROM told t JOIN capture c USING (event_id) CROSS JOIN unnest(t.effects) AS wanted (id)
   WHERE wanted.id = e.id AND t.type = e.type AND c.verdict IN ('applied', 'duplicate', 'held'))
""",
    "held, although all that it waits for has come": """
SELECT event_id, c.type, h.waits_for, h.verdict FROM capture c LEFT JOIN held_step h USING (event_id)
 WHERE c.verdict = 'held' AND h.verdict IS DISTINCT FROM 'applied'
   AND (h.event_id IS NULL OR EXISTS (SELECT FROM journey_event j
     WHERE j.fulfilment_id = h.fulfilment_id AND j.kind = 'stage' AND j.stage = 1005))
""",
    "rejected, and the phone does not show it, or the other way round": """
SELECT event_id, c.verdict FROM told t JOIN capture c USING (event_id)
 WHERE t.quarantined IS DISTINCT FROM (c.verdict = 'rejected')
""",
    "needs a person, and none is asked": """
SELECT event_id, c.verdict, c.reason FROM capture c WHERE c.verdict IN ('review', 'rejected')
   AND NOT EXISTS (SELECT FROM problem p WHERE p.ref IN ('capture:' || event_id, 'device:' || device_id))
   AND NOT EXISTS (SELECT FROM outbox o WHERE o.done_at IS NULL AND o.dead_at IS NULL
     AND o.payload ->> 'ref' IN ('capture:' || event_id, 'device:' || device_id))
""",
    "a picture that is not verified": """
SELECT t.event_id, p.sha256 FROM told t CROSS JOIN unnest(t.pictures) AS p (sha256)
 WHERE NOT EXISTS (SELECT FROM upload u JOIN blob b USING (sha256) WHERE u.sha256 = p.sha256
   AND u.person_id = t.person_id AND u.verified_at IS NOT NULL)
""",
    "a picture from nowhere": """
SELECT sha256 FROM upload WHERE sha256 NOT IN (SELECT unnest(pictures) FROM told)
""",
    "kept as a stray": "SELECT event_id, why FROM stray_capture",
}

SHOWN = 5
"""Of each kind of wrong, so many are named."""


# What the rows tell of what has come over them; none of it may be zero.
_MIX = """
SELECT (SELECT count(*) FROM (SELECT FROM capture GROUP BY person_id
                               HAVING count(DISTINCT device_id) > 1) AS p) AS people_of_two_phones,
       (SELECT count(*) FROM (
          SELECT recorded_at, max(recorded_at) OVER (PARTITION BY device_id ORDER BY device_seq
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM capture) AS c
         WHERE recorded_at < before) AS out_of_order,
       (SELECT count(*) FROM capture WHERE time_flag = 'backdated') AS slow_clocks,
       (SELECT count(*) FROM capture WHERE time_flag = 'postdated') AS fast_clocks,
       (SELECT count(DISTINCT app_version) - 1 FROM capture) AS later_versions,
       (SELECT count(*) FROM upload JOIN blob USING (sha256)
         WHERE size BETWEEN 1500 AND 2600) AS pictures_of_2_kb,
       (SELECT count(*) FROM capture JOIN held_step USING (event_id)
         WHERE released_at IS NOT NULL) AS held_and_released,
       (SELECT count(*) FROM capture JOIN held_step USING (event_id)
         WHERE released_at IS NULL) AS held_for_what_never_comes
"""


async def load(connection: asyncpg.Connection[Any], told: Path, begun: datetime) -> None:
    """Lay the list of captures beside the rows, for this connection alone.

    What was done before `begun` was not captured by these phones.
    """
    await connection.execute("CREATE TEMP TABLE begun (at timestamptz)")
    await connection.execute("INSERT INTO begun VALUES ($1)", begun)
    await connection.execute(_TOLD)
    await connection.execute(_EFFECT)
    await connection.copy_records_to_table("told", records=_lines(told), columns=_COLUMNS)
    await connection.execute("CREATE INDEX ON told (event_id)")
    await connection.execute("CREATE INDEX ON told USING gin (effects)")
    await connection.execute("ANALYZE told")


async def reckon(connection: asyncpg.Connection[Any]) -> list[str]:
    """Tell what does not add up between the list and the rows; nothing is health."""
    wrong = []
    for words, sql in WRONGS.items():
        rows = await connection.fetch(sql)
        wrong += [f"{words}: {dict(row)}" for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            wrong.append(f"{words}: {len(rows)} in all")
    return wrong


async def spoilt_files(connection: asyncpg.Connection[Any], blobs: Path) -> list[str]:
    """Tell which pictures do not lie in the file store as they were taken."""
    wrong = []
    async with connection.transaction():
        async for row in connection.cursor("SELECT unnest(pictures) AS sha256 FROM told"):
            file = blobs / path_of(row["sha256"])
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != row["sha256"]:
                wrong.append(f"no file, or another one: {row['sha256']}")
    return wrong


async def mix(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    """Count what has come over the captures on their way, by what it is."""
    row = await connection.fetchrow(_MIX)
    assert row is not None
    return dict(row)


async def verdicts(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    """Count what became of the captures."""
    rows = await connection.fetch("SELECT verdict, count(*) AS n FROM capture GROUP BY verdict")
    return {row["verdict"]: row["n"] for row in rows}


async def _lines(told: Path) -> AsyncIterator[tuple[Any, ...]]:
    with told.open("rb") as lines:
        for line in lines:
            one = msgspec.json.decode(line)
            yield (
                UUID(one["event_id"]), UUID(one["person_id"]), one["type"],
                [UUID(effect) for effect in one["effects"]], one["pictures"], one["verdict"],
                one["quarantined"],
            )  # fmt: skip
