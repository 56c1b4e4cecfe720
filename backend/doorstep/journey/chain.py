"""The hash chain: checkpoints over all heads, and the checks that find any change (IA8, IO2, IO3)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.journey.tables import JourneyCheckpoint

CHECKPOINT_SECONDS = 3600

_MOVED_HEADS = """
SELECT f.id, f.head_seq, encode(f.head_hash, 'hex') AS head_hash FROM fulfilment f
 WHERE f.updated_at > coalesce(
   (SELECT max(recorded_at) FROM journey_checkpoint) - interval '10 minutes', '-infinity')
 ORDER BY f.id
"""


@recurring("journey.checkpoint", every=CHECKPOINT_SECONDS)
async def checkpoint(_payload: dict[str, Any]) -> None:
    """Write the heads that moved since the last checkpoint, chained to it."""
    await write_checkpoint()


@db.transactional
async def write_checkpoint() -> int:
    """Append one checkpoint; return its number. Two at once write one after the other."""
    await db.execute("LOCK TABLE journey_checkpoint IN SHARE ROW EXCLUSIVE MODE")
    last = await db.row("SELECT seq, hash FROM journey_checkpoint ORDER BY seq DESC LIMIT 1")
    seq, prev_hash = (last["seq"] + 1, last["hash"]) if last else (1, b"")
    heads = {
        str(row["id"]): [row["head_seq"], row["head_hash"]] for row in await db.rows(_MOVED_HEADS)
    }
    await db.execute(
        "INSERT INTO journey_checkpoint (seq, recorded_at, heads, prev_hash, hash)"
        " VALUES ($1, $2, $3, $4, $5)",
        seq,
        now(),
        heads,
        prev_hash,
        checkpoint_hash(prev_hash, seq, heads),
    )
    return seq


def checkpoint_hash(prev_hash: bytes, seq: int, heads: dict[str, list[Any]]) -> bytes:
    """Hash a checkpoint: previous hash, number as 8 bytes, heads as JSON with sorted keys."""
    body = msgspec.json.encode(heads, order="sorted")
    return hashlib.sha256(prev_hash + seq.to_bytes(8) + body).digest()


BROKEN_EVENTS = """
SELECT e.fulfilment_id || ' #' || e.seq AS subject,
       CASE WHEN e.seq = e.last_seq THEN 'stands twice'
            WHEN e.seq = e.last_seq + 2 THEN 'an event before it is missing: ' || e.last_seq + 1
            WHEN e.seq <> e.last_seq + 1 THEN
              'events before it are missing: ' || e.last_seq + 1 || ' to ' || e.seq - 1
            WHEN e.prev_hash <> e.before THEN 'does not follow the event before it'
            WHEN NOT e.sound THEN 'its body was changed'
            ELSE 'its columns were changed' END AS detail
  FROM (
    SELECT j.*, s.sound,
           -- A body under a wrong hash may be anything, so it is not read at all.
           CASE WHEN s.sound THEN journey_said(j.body) END AS said,
           lag(j.seq, 1, 0) OVER chain AS last_seq,
           lag(j.hash, 1, ''::bytea) OVER chain AS before
      FROM journey_event j
     CROSS JOIN LATERAL (
       SELECT j.hash = sha256(j.prev_hash || int8send(j.seq::bigint) || j.body) AS sound) s
    WINDOW chain AS (PARTITION BY j.fulfilment_id ORDER BY j.seq)
  ) e
 WHERE e.seq <> e.last_seq + 1 OR e.prev_hash <> e.before OR NOT e.sound
    -- Compared as texts: whatever an intruder has written, it is no reason to stop.
    OR (e.said->>'event_id', e.said->>'kind', e.said->>'name', e.said->>'stage', e.said->>'ends_as',
        e.said->>'how', e.said->>'verdict', e.said->>'reason', e.said->>'actor_id',
        e.said->>'actor_role', e.said->>'source', e.said->>'device', e.said->>'request_id',
        e.said->>'fulfilment_id', e.said->>'order_id', e.said->>'attempt', e.said->'evidence')
       IS DISTINCT FROM
       (e.event_id::text, e.kind, e.name, e.stage::text, e.ends_as, e.how, e.verdict, e.reason,
        e.actor_id::text, e.actor_role, e.source, e.device, e.request_id, e.fulfilment_id::text,
        e.order_id::text, e.attempt::text, e.evidence)
    OR (journey_time(e.said->>'captured_at'), journey_time(e.said->>'recorded_at'))
       IS DISTINCT FROM (e.captured_at, e.recorded_at)
"""
"""IA8, IO3: an event that was changed, swapped, stands twice, or whose predecessor is gone."""

BROKEN_HEADS = """
SELECT f.id::text AS subject,
       'the chain ends at ' || coalesce(last.seq, 0) || ', the fulfilment says ' || f.head_seq AS detail
  FROM fulfilment f
  LEFT JOIN LATERAL (
    SELECT e.seq, e.hash FROM journey_event e WHERE e.fulfilment_id = f.id ORDER BY e.seq DESC LIMIT 1
  ) last ON true
 WHERE f.head_seq IS DISTINCT FROM last.seq OR f.head_hash IS DISTINCT FROM last.hash
"""
"""IA8: a cut tail."""

WRONG_FOLDS = """
SELECT f.id::text AS subject, 'passed stages differ from the events' AS detail
  FROM fulfilment f
 WHERE ARRAY(SELECT unnest(f.passed) ORDER BY 1) <> ARRAY(
         SELECT e.stage FROM journey_event e
          WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND NOT EXISTS (
            SELECT FROM journey_event d
             WHERE d.fulfilment_id = f.id AND d.kind = 'detour' AND d.seq > e.seq
               AND d.stage <= e.stage)
          ORDER BY 1)
UNION ALL
SELECT f.id::text, 'state or attempt differs from the events'
  FROM fulfilment f
 WHERE f.attempt <> 1 + (SELECT count(*) FROM journey_event d
                          WHERE d.fulfilment_id = f.id AND d.kind = 'detour' AND d.stage IS NOT NULL)
    OR f.ended_as IS DISTINCT FROM (
         SELECT d.ends_as FROM journey_event d
          WHERE d.fulfilment_id = f.id AND d.ends_as IS NOT NULL ORDER BY d.seq DESC LIMIT 1)
"""
"""IO2: every state row equals the fold of its events; a detour's stage begins a new attempt there."""

WRONG_CASES = """
SELECT d.id::text AS subject, d.kind || ': no event opened it' AS detail
  FROM detour_case d
 WHERE NOT EXISTS (SELECT FROM journey_event e WHERE e.event_id = d.id AND e.kind = 'detour'
                    AND e.name = d.kind AND e.fulfilment_id = d.fulfilment_id)
UNION ALL
SELECT e.event_id::text, e.name || ': no case tells of it'
  FROM journey_event e
 WHERE e.kind = 'detour' AND e.name NOT LIKE '%\\_settled'
   AND NOT EXISTS (SELECT FROM detour_case d WHERE d.id = e.event_id)
UNION ALL
SELECT d.id::text, d.kind || ' is open on a fulfilment that has ended'
  FROM detour_case d JOIN fulfilment f ON f.id = d.fulfilment_id
 WHERE d.closed_at IS NULL AND f.state = 'ended'
"""
"""IO2: detours are those that the events tell of."""

UNCOVERED_LINES = """
SELECT o.number AS subject,
       'line ' || l.position || ': ' || coalesce(owed.living, 0) || ' travel and '
         || coalesce(owed.ended, 0) || ' have ended of ' || l.quantity AS detail
  FROM order_line l
  JOIN customer_order o ON o.id = l.order_id
  LEFT JOIN LATERAL (
    SELECT sum(fl.quantity) FILTER (WHERE f.state = 'open') AS living,
           sum(fl.quantity) FILTER (WHERE f.state = 'ended' AND f.ended_as <> 'replaced'
             AND NOT EXISTS (SELECT FROM fulfilment r WHERE r.replaces_id = f.id)) AS ended
      FROM fulfilment_line fl JOIN fulfilment f ON f.id = fl.fulfilment_id
     WHERE fl.order_line_id = l.id) owed ON true
 WHERE coalesce(owed.living, 0) + coalesce(owed.ended, 0) <> l.quantity
"""
"""IO2: every piece that was ordered is in a fulfilment, or in one that has ended for good."""

LOST_HEADS = """
SELECT head.key AS subject,
       CASE WHEN f.id IS NULL THEN 'the fulfilment of checkpoint ' || c.seq || ' is gone'
            ELSE 'its event ' || coalesce(head.value->>0, '?') || ' is not the one of checkpoint '
              || c.seq END AS detail
  FROM journey_checkpoint c
 CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(c.heads) WHEN 'object' THEN c.heads END) AS head
  LEFT JOIN fulfilment f
    ON f.id = CASE WHEN pg_input_is_valid(head.key, 'uuid') THEN head.key::uuid END
  LEFT JOIN journey_event e
    ON e.fulfilment_id = f.id
   AND e.seq = CASE WHEN pg_input_is_valid(head.value->>0, 'int') THEN (head.value->>0)::int END
 WHERE encode(e.hash, 'hex') IS DISTINCT FROM head.value->>1
"""
"""IA8: a fulfilment that was removed with its events, or whose history was written anew."""


async def broken_checkpoints() -> list[str]:
    """Find checkpoints that do not follow one another."""
    found = []
    before, expected = b"", 1
    for row in await JourneyCheckpoint.select().order_by(JourneyCheckpoint.seq):
        if row["seq"] != expected or row["prev_hash"] != before:
            found.append(f"{row['seq']}: the checkpoint before it is missing")
        elif row["hash"] != checkpoint_hash(row["prev_hash"], row["seq"], row["heads"]):
            found.append(f"{row['seq']}: it was changed")
        before, expected = row["hash"], row["seq"] + 1
    return found
