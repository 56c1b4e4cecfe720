"""The statements of helpdesk."""

# --- Calendars ------------------------------------------------------------------------------------

CALENDAR = """
SELECT b.zone, b.working_hours,
       ARRAY(SELECT h.held_on FROM holiday h WHERE h.country = b.country) AS holidays
  FROM business_calendar b WHERE b.country = $1
"""

CALENDARS = """
SELECT b.country, b.zone, b.working_hours,
       coalesce((SELECT jsonb_object_agg(h.held_on, h.name ORDER BY h.held_on) FROM holiday h
                  WHERE h.country = b.country), '{}') AS holidays
  FROM business_calendar b ORDER BY b.country
"""

SAVE_CALENDAR = """
INSERT INTO business_calendar (country, zone, working_hours) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT business_calendar_pkey DO UPDATE
   SET zone = EXCLUDED.zone, working_hours = EXCLUDED.working_hours
"""

DROP_HOLIDAYS = "DELETE FROM holiday WHERE country = $1 AND held_on <> ALL ($2::date[])"

SAVE_HOLIDAYS = """
INSERT INTO holiday (country, held_on, name)
SELECT $1, h.* FROM unnest($2::date[], $3::text[]) AS h
ON CONFLICT ON CONSTRAINT holiday_pkey DO UPDATE SET name = EXCLUDED.name
"""

# --- Problems -------------------------------------------------------------------------------------

# Where a problem belongs: what is known of it decides, most exact first.
PLACE = """
SELECT c.id AS channel_id, c.country FROM channel c
 WHERE c.id = coalesce($1, (SELECT o.channel_id FROM customer_order o WHERE o.id = $2),
                       (SELECT f.channel_id FROM fulfilment f WHERE f.id = $3))
"""

# The update of nothing makes RETURNING answer the open problem when it is there already.
OPEN = """
INSERT INTO problem (id, kind, title, detail, order_id, fulfilment_id, channel_id, country, ref,
                     owner_role, due_at, escalates_at, opened_at)
VALUES ($1, $2, $3, $4, coalesce($5, (SELECT f.order_id FROM fulfilment f WHERE f.id = $6)), $6,
        $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (kind, ref) WHERE closed_at IS NULL DO UPDATE SET kind = problem.kind
RETURNING id
"""

# Opened by one machine and closed by another, whose clock may be behind: the later moment counts.
CLOSE = """
UPDATE problem SET closed_at = greatest(opened_at, $2), closed_by = $3, closing_words = $4
 WHERE id = $1 AND closed_at IS NULL
"""

RESTATE = """
UPDATE problem SET title = $3, detail = $4 WHERE kind = $1 AND ref = $2 AND closed_at IS NULL
"""

LOCK_OPEN = """
SELECT * FROM problem WHERE kind = $1 AND ref = $2 AND closed_at IS NULL FOR NO KEY UPDATE
"""

PUT_OFF = "UPDATE problem SET title = $2, detail = $3, due_at = $4 WHERE id = $1"

CLOSE_BY_REF = """
UPDATE problem SET closed_at = greatest(opened_at, $3), closed_by = $4, closing_words = $5
 WHERE kind = $1 AND ref = $2 AND closed_at IS NULL
"""

CLOSE_OF_FULFILMENT = """
UPDATE problem SET closed_at = greatest(opened_at, $3), closed_by = $4, closing_words = $5
 WHERE fulfilment_id = $1 AND kind = ANY ($2::text[]) AND closed_at IS NULL
"""

LIVING_TICKET = """
SELECT true FROM ticket WHERE problem_id = $1 AND state IN ('open', 'waiting')
"""

LOCK_PROBLEM = "SELECT * FROM problem WHERE id = $1 FOR NO KEY UPDATE"

# Who may be given a problem of this channel: a desk of it, or of every channel.
CAN_OWN = """
SELECT true FROM person
 WHERE id = $1 AND active AND role = ANY ($2::text[])
   AND (channel_ids = '{}' OR $3 = ANY (channel_ids))
"""

ASSIGN = "UPDATE problem SET owner_id = $2 WHERE id = $1"

# --- Escalation -----------------------------------------------------------------------------------

RULES = """
SELECT level, after_minutes, counted_from, owner_role, tells, kind, country FROM escalation_rule
 WHERE (kind IS NULL OR kind = $1) AND (country IS NULL OR country = $2)
"""

ANY_RULE = "SELECT EXISTS (SELECT FROM escalation_rule)"

ALL_RULES = """
SELECT level, after_minutes, counted_from, owner_role, tells, kind, country FROM escalation_rule
 ORDER BY kind NULLS FIRST, country NULLS FIRST, level
"""

LOCK_RULES = "LOCK TABLE escalation_rule IN SHARE ROW EXCLUSIVE MODE"

DROP_RULES = "DELETE FROM escalation_rule"

SAVE_RULE = """
INSERT INTO escalation_rule
  (id, level, after_minutes, counted_from, owner_role, tells, kind, country)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# Another worker's problem is skipped, not waited for: it fires there.
TAKE_DUE = """
SELECT * FROM problem WHERE closed_at IS NULL AND escalates_at <= $1
 ORDER BY escalates_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""

PLAN = "UPDATE problem SET escalates_at = $2 WHERE id = $1"

FIRE = """
INSERT INTO escalation (id, problem_id, level, due_at, fired_at, from_role, from_id, owner_role, tells)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT escalation_once_key DO NOTHING
RETURNING id
"""

# Who has claimed it keeps it, unless it goes to another role's queue.
RAISE = """
UPDATE problem SET level = $2, owner_role = $3, escalates_at = $4,
       owner_id = CASE WHEN owner_role = $3 THEN owner_id END
 WHERE id = $1
"""

OPEN_AFTER = """
SELECT p.* FROM problem p
 WHERE p.closed_at IS NULL AND p.id > $1
   AND NOT EXISTS (SELECT FROM ticket t WHERE t.problem_id = p.id AND t.state = 'waiting')
 ORDER BY p.id LIMIT 200 FOR NO KEY UPDATE
"""

# --- Tickets --------------------------------------------------------------------------------------

TICKET_NUMBER = "SELECT next_ticket_number()"

READ_TICKET = "SELECT * FROM ticket WHERE id = $1"

LOCK_TICKET = "SELECT * FROM ticket WHERE id = $1 FOR NO KEY UPDATE"

INSERT_TICKET = """
INSERT INTO ticket (id, number, type, channel_id, order_id, fulfilment_id, title, words, problem_id,
                    opened_by, opened_by_role, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT ON CONSTRAINT ticket_pkey DO NOTHING
RETURNING *
"""

MOVE_TICKET = """
UPDATE ticket SET state = $2, problem_id = $3, resolved_at = $4, resolution = $5 WHERE id = $1
"""

INSERT_MESSAGE = """
INSERT INTO ticket_message (id, ticket_id, author, person_id, words, written_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT ticket_message_pkey DO NOTHING
RETURNING id
"""

MESSAGE = "SELECT ticket_id, author, words FROM ticket_message WHERE id = $1"

MESSAGES = """
SELECT m.id, m.author, m.person_id, p.name AS person, m.words, m.written_at
  FROM ticket_message m LEFT JOIN person p ON p.id = m.person_id
 WHERE m.ticket_id = $1 ORDER BY m.written_at, m.id
"""

OWN_PICTURES = """
SELECT u.sha256 FROM upload u
 WHERE u.person_id = $1 AND u.sha256 = ANY ($2::text[]) AND u.verified_at IS NOT NULL
"""

ADD_PHOTOS = """
INSERT INTO ticket_photo (ticket_id, sha256, added_by, added_at)
SELECT $1, s, $3, $4 FROM unnest($2::text[]) AS s
ON CONFLICT ON CONSTRAINT ticket_photo_pkey DO NOTHING
"""

PHOTOS = "SELECT sha256 FROM ticket_photo WHERE ticket_id = $1 ORDER BY added_at, sha256"

CLOSE_RESOLVED = """
UPDATE ticket SET state = 'closed' WHERE state = 'resolved' AND resolved_at <= $1
"""

# --- Words of field workers -----------------------------------------------------------------------

WORD = """
SELECT kind, person_id, words, about, amends, pod_id FROM field_word WHERE id = $1
"""

KEEP_WORD = """
INSERT INTO field_word (id, kind, person_id, device_id, job_kind, job_id, order_id, fulfilment_id,
                        about, amends, pod_id, words, photos, problem_id, captured_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT ON CONSTRAINT field_word_pkey DO NOTHING
RETURNING id
"""

# What was said first may go: it stands in its own row, and the newest is what is asked now.
ADD_TO_PROBLEM = """
UPDATE problem SET detail = right(concat_ws(E'\\n', nullif(detail, ''), $2::text), 4000)
 WHERE id = $1 AND closed_at IS NULL
"""

WORDS_OF = """
SELECT w.id, w.kind, w.person_id, p.name AS person, w.job_kind, w.job_id, w.order_id,
       w.fulfilment_id, w.about, w.amends, w.pod_id, w.words, w.photos, w.problem_id,
       w.captured_at, w.recorded_at
  FROM field_word w JOIN person p ON p.id = w.person_id
 WHERE w.order_id = $1 OR w.problem_id = $2 OR w.amends = $3
 ORDER BY w.recorded_at, w.id LIMIT 500
"""
