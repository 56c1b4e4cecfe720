"""The statements of messages. Times are the database's, moved by the offset of a test: two servers whose
clocks differ must not disagree on what is over."""

_NOT_WANTED = """
NOT coalesce((SELECT p.wanted FROM contact_preference p
               WHERE p.channel = a.channel AND p.address = a.address ORDER BY p.n DESC LIMIT 1), true)"""

# What a message to be written depends on: the time, the newest own words, who wants none.
CONTEXT = f"""
SELECT now() + $1::interval AS moment,
       (SELECT id FROM message_template ORDER BY number DESC LIMIT 1) AS newest_words,
       ARRAY(SELECT a.channel FROM unnest($2::text[], $3::text[]) AS a (channel, address)
              WHERE {_NOT_WANTED}) AS refused
"""  # noqa: S608 - a constant of this file

REFUSED = f"""
SELECT a.channel FROM unnest($1::text[], $2::text[]) AS a (channel, address) WHERE {_NOT_WANTED}
"""  # noqa: S608 - a constant of this file

INSERT = """
INSERT INTO message (order_id, fulfilment_id, po_id, problem_id, visit_id, reply_to, event, attempt,
                     language, created_at, valid_until, send_at, receipt_minutes, asked_for, no_loss,
                     quiet_zone, quiet_from, quiet_until,
                     id, channel, recipient, template_version, subject, body, provider_template,
                     parameters, secret, chain_id, place, state, failure)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
       m.id, m.channel, m.recipient, m.version, m.subject, m.body, m.template,
       ARRAY(SELECT jsonb_array_elements_text(m.parameters::jsonb)), m.secret, m.chain_id, m.place, m.state,
       m.failure
  FROM unnest($19::uuid[], $20::text[], $21::text[], $22::smallint[], $23::text[], $24::text[],
              $25::text[], $26::text[], $27::text[], $28::uuid[], $29::smallint[], $30::text[],
              $31::text[])
    AS m (id, channel, recipient, version, subject, body, template, parameters, secret, chain_id, place,
          state, failure)
ON CONFLICT DO NOTHING
RETURNING id, state, chain_id
"""

# Locked one by one in the order of their places, with the chain's other messages behind the asked one's.
LOCKED = """
SELECT m.*, now() + $2::interval AS moment
  FROM message m
 WHERE m.id = $1 OR m.chain_id = (SELECT chain_id FROM message WHERE id = $1)
 ORDER BY m.place, m.id
   FOR UPDATE
"""

ADDRESS = "SELECT channel, recipient FROM message WHERE id = $1"

BEGIN = """
UPDATE message SET state = 'sending', sends = sends + 1, sending_at = $2, provider = $3 WHERE id = $1
"""

# $2 tells whether it may have been taken: only that counts as handed over.
PUT_BACK = (
    "UPDATE message SET state = 'queued', sends = sends - CASE WHEN $2 THEN 0 ELSE 1 END"
    " WHERE id = $1 AND state = 'sending'"
)

UNKNOWN = "UPDATE message SET state = 'sent_unknown' WHERE id = $1"

POSTPONE = "UPDATE message SET send_at = $2 WHERE id = $1"

QUEUE = "UPDATE message SET state = 'queued', send_at = $2 WHERE id = $1"

END = "UPDATE message SET state = $2, failure = $3, secret = NULL WHERE id = ANY ($1::uuid[])"

# A secret is kept as long as the message may have to be sent once more.
ADVANCE = """
UPDATE message
   SET state = $2, provider = coalesce(provider, $3), provider_id = coalesce(provider_id, $4),
       sent_at = CASE WHEN $2 IN ('sent', 'delivered', 'read') THEN coalesce(sent_at, $5) ELSE sent_at END,
       delivered_at = CASE WHEN $2 IN ('delivered', 'read') THEN coalesce(delivered_at, $5)
                           ELSE delivered_at END,
       read_at = CASE WHEN $2 = 'read' THEN coalesce(read_at, $5) ELSE read_at END,
       failure = CASE WHEN $2 = 'failed' THEN $6 END,
       secret = NULL
 WHERE id = $1
"""

KEEP_REPORT = """
INSERT INTO message_report (id, provider, provider_id, message_id, status, means, reason, at, content,
                            received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now() + $10::interval), $9, now() + $10::interval)
ON CONFLICT DO NOTHING
RETURNING id
"""

MESSAGE_OF_REPORT = """
SELECT id FROM message
 WHERE id = $3 OR (provider = $1 AND provider_id = $2)
 ORDER BY (id IS NOT DISTINCT FROM $3) DESC LIMIT 1
"""

REPORTS_OF = """
SELECT means, reason FROM message_report
 WHERE provider = $1 AND provider_id = $2 ORDER BY received_at, id
"""

KEEP_INBOUND = """
INSERT INTO message_inbound (id, provider, provider_id, channel, sender, body, taken_as, at, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now() + $9::interval), now() + $9::interval)
ON CONFLICT DO NOTHING
RETURNING id
"""

# Whoever sends looks again once he has this lock, so that nothing goes out behind a STOP.
LOCK_ADDRESS = "SELECT pg_advisory_xact_lock(hashtextextended('contact:' || $1 || ':' || $2, 0))"

NEWEST_PREFERENCE = """
SELECT n, wanted, why FROM contact_preference WHERE channel = $1 AND address = $2 ORDER BY n DESC LIMIT 1
"""

KEEP_PREFERENCE = """
INSERT INTO contact_preference (id, channel, address, n, wanted, why, detail, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::interval)
"""

WAITING_AT = """
SELECT id FROM message
 WHERE channel = $1 AND CASE WHEN $1 = 'email' THEN lower(recipient) ELSE recipient END = $2
   AND state = 'queued' AND NOT asked_for
 ORDER BY id
"""
