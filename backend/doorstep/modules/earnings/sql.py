"""Statements of earnings."""

from __future__ import annotations

# Of each kind the newest version that had begun by $2; that of a later moment waits beside it.
HOLDING = """
SELECT DISTINCT ON (r.channel_id, r.kind)
       r.id, r.channel_id, r.kind, r.version, r.amount_minor, c.currency, r.valid_from, r.reason,
       r.set_by, r.set_at
  FROM earning_rate r JOIN channel c ON c.id = r.channel_id
 WHERE r.channel_id = ANY ($1) AND r.valid_from <= $2
 ORDER BY r.channel_id, r.kind, r.version DESC
"""

VERSIONS = """
SELECT r.id, r.channel_id, r.kind, r.version, r.amount_minor, c.currency, r.valid_from, r.reason,
       r.set_by, r.set_at
  FROM earning_rate r JOIN channel c ON c.id = r.channel_id
 WHERE r.channel_id = ANY ($1) ORDER BY r.channel_id, r.kind, r.version DESC
"""

ADD_RATE = """
INSERT INTO earning_rate (id, channel_id, kind, version, amount_minor, valid_from, reason, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# Whoever writes the same line at the same moment has read the same work.
ADD_LINE = """
INSERT INTO earning_line (event_id, kind, person_id, n, channel_id, rate_id, order_id, number, minutes,
                          currency, amount_minor, reason, words, worked_at, worked_on, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT ON CONSTRAINT earning_line_pkey DO NOTHING
"""

OWN_LINES = """
SELECT l.event_id AS work_id, l.kind, l.n, l.number, l.minutes, l.currency, l.amount_minor, l.reason, l.words,
       l.worked_at, l.worked_on
  FROM earning_line l WHERE l.person_id = $1 AND l.worked_on >= $2
 ORDER BY l.worked_on, l.worked_at, l.event_id, l.kind, l.n
"""

# {scope} comes from core.auth.scope: names of ours, values bound.
LINES = """
SELECT l.event_id AS work_id, l.kind, l.n, l.person_id, p.name AS person, p.role, h.code AS channel, l.number,
       l.minutes, l.currency, l.amount_minor, l.reason, l.words, r.version AS rate_version,
       l.worked_at, l.worked_on, l.made_at
  FROM earning_line l
  JOIN person p ON p.id = l.person_id
  JOIN channel h ON h.id = l.channel_id
  JOIN earning_rate r ON r.id = l.rate_id
 WHERE l.worked_on BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR l.person_id = $3) AND {scope}
 ORDER BY p.name, l.person_id, l.worked_on, l.worked_at, l.event_id, l.kind, l.n
"""

SUMS = """
SELECT l.person_id, p.name AS person, p.role, l.currency, sum(l.amount_minor)::bigint AS amount_minor,
       count(DISTINCT (l.event_id, l.kind)) AS pieces
  FROM earning_line l JOIN person p ON p.id = l.person_id
 WHERE l.worked_on BETWEEN $1 AND $2 AND {scope}
 GROUP BY l.person_id, p.name, p.role, l.currency
 ORDER BY p.name, l.person_id, l.currency
"""

ADD_DECISION = """
INSERT INTO earning_decision (id, event_id, n, earns, reason, decided_by, decided_at)
SELECT $1, $2, count(*) + 1, $3, $4, $5, $6 FROM earning_decision WHERE event_id = $2
"""
