"""The statements of messages."""

INSERT = """
INSERT INTO message (order_id, fulfilment_id, po_id, problem_id, visit_id, event, attempt, language,
                     created_at, id, channel, recipient, template_version, subject, body, secret)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, m.*
  FROM unnest($10::uuid[], $11::text[], $12::text[], $13::smallint[], $14::text[], $15::text[],
              $16::text[]) AS m
ON CONFLICT DO NOTHING
RETURNING id
"""

TO_SEND = """
SELECT channel, recipient, subject, body, secret, language
  FROM message WHERE id = $1 AND state = 'queued'
"""

MARK_SENT = """
UPDATE message SET state = 'sent', provider_id = $2, sent_at = $3, secret = NULL
 WHERE id = $1 AND state = 'queued'
"""

MARK_FAILED = """
UPDATE message SET state = 'failed', failure = $2, secret = NULL
 WHERE id = $1 AND state = 'queued'
RETURNING order_id, problem_id
"""
