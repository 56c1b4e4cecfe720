"""What an erasure reads: what is open about a customer, and by what his traces are known."""

from __future__ import annotations

from doorstep.flows.closing_sql import OPEN_THINGS
from doorstep.flows.missing_pictures import NAMED

CUSTOMER = """
SELECT id, channel_id, name, phone, email FROM customer WHERE id = $1 FOR UPDATE
"""

# In the order of their ids: no other use-case locks two orders but deposits and payout batches, which
# keep the same order.
ORDERS = """
SELECT id, number, external_id, created_at FROM customer_order WHERE customer_id = $1
 ORDER BY id FOR NO KEY UPDATE
"""

# $1 an order, $2 today: codes of modules/privacy/rules.py for what is open about it.
_OPEN = {
    "order": "SELECT 1 FROM customer_order o WHERE o.id = $1 AND o.closed_at IS NULL",
    "money": f"""
        SELECT 1 FROM ({OPEN_THINGS["payments"]}) p UNION ALL
        SELECT 1 FROM ({OPEN_THINGS["tranches"]}) t UNION ALL
        SELECT 1 FROM door_link k WHERE k.order_id = $1 AND k.url <> '' AND k.expires_at > now()
           AND k.paid_minor < k.amount_minor UNION ALL
        SELECT 1 FROM problem p WHERE p.order_id = $1 AND p.kind = 'refund_due' AND p.closed_at IS NULL""",  # noqa: S608 - constants of ours
    "case": f"""
        SELECT 1 FROM ({OPEN_THINGS["problems and tickets"]}) p UNION ALL
        SELECT 1 FROM ({OPEN_THINGS["detours"]}) d UNION ALL
        SELECT 1 FROM expected_arrival a WHERE a.order_id = $1 AND a.ended_at IS NULL""",  # noqa: S608 - as above
    "warranty": """
        SELECT 1 FROM warranty w WHERE w.order_id = $1 AND w.owner_n = 0
           AND w.state <> 'void' AND w.ends_on >= $2""",
    # A job that failed for good waits for a person, who may still have it done.
    "work": """
        SELECT 1 FROM outbox x WHERE x.order_id = $1 AND x.done_at IS NULL
           AND (x.dead_at IS NOT NULL OR x.next_at < now() + interval '10 minutes') UNION ALL
        SELECT 1 FROM message m WHERE m.order_id = $1 AND m.state = 'sending' UNION ALL
        SELECT 1 FROM capture c JOIN fulfilment f ON f.order_id = $1
         WHERE c.verdict IS NULL AND position(convert_to(f.id::text, 'UTF8') IN c.body) > 0""",
}

OPEN = " UNION ALL ".join(
    f"SELECT '{code}' AS code WHERE EXISTS ({query})" for code, query in _OPEN.items()
)

# --- By what his traces are known -----------------------------------------------------------------

ADDRESS_PHONES = """
SELECT DISTINCT phone FROM address WHERE customer_id = $1 AND phone IS NOT NULL
"""

# Of two customers with one number only the rows of this one's orders are known to be his.
SHARED = """
SELECT c.phone AS contact FROM customer c WHERE c.id <> $1 AND c.phone = ANY ($2)
UNION SELECT lower(c.email) FROM customer c WHERE c.id <> $1 AND lower(c.email) = ANY ($2) AND c.email <> ''
UNION SELECT a.phone FROM address a WHERE a.customer_id <> $1 AND a.phone = ANY ($2)
"""

REFUSED = """
SELECT DISTINCT ON (channel, address) address, wanted FROM contact_preference
 WHERE address = ANY ($1) ORDER BY channel, address, n DESC
"""

INBOUND = """
SELECT id FROM message_inbound WHERE sender = ANY ($1)
UNION
SELECT i.id FROM message_inbound i JOIN ticket t ON t.id = i.id WHERE t.order_id = ANY ($2)
"""

TICKETS = "SELECT id, problem_id FROM ticket WHERE order_id = ANY ($1) OR id = ANY ($2)"

PROBLEMS = "SELECT id FROM problem WHERE order_id = ANY ($1) OR id = ANY ($2)"

LABELS = """
SELECT p.label_no FROM piece p JOIN shipment s ON s.id = p.shipment_id WHERE s.order_id = ANY ($1)
"""

# What phones, and answers of ours, call things of an order by.
IDS = """
SELECT unnest($1::uuid[])::text AS id
UNION SELECT id::text FROM fulfilment WHERE order_id = ANY ($1)
UNION SELECT id::text FROM delivery_stop WHERE order_id = ANY ($1)
UNION SELECT id::text FROM visit WHERE order_id = ANY ($1)
UNION SELECT id::text FROM pod WHERE order_id = ANY ($1)
UNION SELECT id::text FROM visit_report WHERE order_id = ANY ($1)
UNION SELECT id::text FROM detour_case WHERE order_id = ANY ($1)
UNION SELECT id::text FROM field_word WHERE order_id = ANY ($1)
UNION SELECT report_id::text FROM piece_report_parcel WHERE order_id = ANY ($1)
UNION SELECT id::text FROM shift_explanation WHERE order_id = ANY ($1)
UNION SELECT id::text FROM work_offer WHERE order_id = ANY ($1)
UNION SELECT unnest($2::uuid[])::text
"""

# What others call things of an order by, in what they send us. Whole, in quotes: DS-100000 is no part
# of DS-1000001.
SENT = """
SELECT to_jsonb(word)::text AS word FROM (
  SELECT number AS word FROM customer_order WHERE id = ANY ($1)
  UNION SELECT external_id FROM customer_order WHERE id = ANY ($1)
  UNION SELECT reference FROM payment_line WHERE order_id = ANY ($1)
  UNION SELECT provider_ref FROM payment_line WHERE order_id = ANY ($1)
  UNION SELECT reference FROM door_link WHERE order_id = ANY ($1)
  UNION SELECT awb FROM shipment WHERE order_id = ANY ($1)
  UNION SELECT provider_id FROM message WHERE order_id = ANY ($1)) w
 WHERE length(word) >= 4
"""

# --- Messages that wait ---------------------------------------------------------------------------

SKIP_MESSAGES = """
UPDATE message SET state = 'skipped', failure = 'Erased', secret = NULL
 WHERE order_id = ANY ($1) AND state IN ('standby', 'queued')
"""

# --- Files ----------------------------------------------------------------------------------------

# Every file that names or shows him: pictures with what stands for them and was made of them, papers.
FILES = f"""
WITH own AS (
  SELECT n.sha256 FROM ({NAMED}) n WHERE n.order_id = ANY ($1)
  UNION SELECT x.sha256 FROM ticket_photo x WHERE x.ticket_id = ANY ($2)
  UNION SELECT d.sha256 FROM order_document d WHERE d.order_id = ANY ($1)
  UNION SELECT e.sha256 FROM archive_entry e WHERE e.order_id = ANY ($1) AND e.kind <> 'index'
  UNION SELECT w.certificate_sha256 FROM warranty w
         WHERE w.order_id = ANY ($1) AND w.certificate_sha256 IS NOT NULL
), whole AS (
  SELECT sha256 FROM own
  UNION SELECT v.preview_sha256 FROM own JOIN picture_preview v USING (sha256)
)
SELECT sha256 FROM whole
UNION SELECT p.blob_sha256 FROM whole JOIN picture p USING (sha256)
"""  # noqa: S608 - a constant of ours

# Of these ($1) what something else than the erased orders ($2) names too: the same bytes, kept for that.
NAMED_ELSEWHERE = f"""
SELECT n.sha256 FROM ({NAMED}) n
 WHERE n.sha256 = ANY ($1) AND (n.order_id IS NULL OR n.order_id <> ALL ($2))
UNION SELECT sha256 FROM ticket_photo WHERE sha256 = ANY ($1)
UNION SELECT sha256 FROM order_document WHERE sha256 = ANY ($1)
UNION SELECT sha256 FROM archive_entry WHERE sha256 = ANY ($1)
UNION SELECT certificate_sha256 FROM warranty WHERE certificate_sha256 = ANY ($1)
"""  # noqa: S608 - a constant of ours

# Whether a file may go: nobody has come with the same content meanwhile.
UNUSED = """
SELECT NOT EXISTS (SELECT FROM upload WHERE sha256 = $1)
   AND NOT EXISTS (SELECT FROM picture WHERE sha256 = $1 OR blob_sha256 = $1)
   AND NOT EXISTS (SELECT FROM ticket_photo WHERE sha256 = $1)
   AND NOT EXISTS (SELECT FROM feedback_photo WHERE sha256 = $1)
   AND NOT EXISTS (SELECT FROM order_document WHERE sha256 = $1)
   AND NOT EXISTS (SELECT FROM archive_entry WHERE sha256 = $1)
   AND NOT EXISTS (SELECT FROM warranty WHERE certificate_sha256 = $1)
   AND NOT EXISTS (SELECT FROM person_portrait WHERE sha256 = $1)
"""

# $1 the day: who was to have a warranty, or had one, that nobody has to answer for any more, or that
# has been somebody else's since.
PAST_OWNERS = """
UPDATE warranty_transfer t SET name = '', phone = ''
  FROM warranty w
 WHERE w.id = t.warranty_id AND t.phone <> ''
   AND (w.ends_on < $1 OR (t.confirmed_at IS NULL AND t.expires_at < $1)
        OR (t.n < w.owner_n AND (SELECT x.confirmed_at FROM warranty_transfer x
                                  WHERE x.order_id = w.order_id AND x.n = w.owner_n) < $1))
RETURNING t.order_id, t.n
"""

# What such an owner ($1 the order, $2 his number) has left: his links, and what he has claimed.
OF_PAST_OWNER = (
    """
DELETE FROM link_session WHERE token_hash IN
  (SELECT token_hash FROM order_link WHERE order_id = $1 AND owner_n = $2)""",
    """
DELETE FROM link_code WHERE token_hash IN
  (SELECT token_hash FROM order_link WHERE order_id = $1 AND owner_n = $2)""",
    "DELETE FROM order_link WHERE order_id = $1 AND owner_n = $2",
    """
UPDATE warranty_claim_place p SET place = ''
  FROM warranty_claim q WHERE q.id = p.claim_id AND q.order_id = $1 AND q.owner_n = $2""",
    """
UPDATE ticket t SET words = ''
  FROM warranty_claim q WHERE q.id = t.id AND q.order_id = $1 AND q.owner_n = $2""",
)

# --- Whose time is over without his asking --------------------------------------------------------

# $1 now, $2 the days of a channel without a rule, $3 the last customer looked at.
OVER = """
SELECT c.id, c.channel_id, o.id AS order_id
  FROM customer c
  LEFT JOIN privacy_rule r ON r.channel_id = c.channel_id
 CROSS JOIN LATERAL (SELECT x.id, x.created_at FROM customer_order x WHERE x.customer_id = c.id
                      ORDER BY x.created_at DESC LIMIT 1) o
 WHERE c.id > $3 AND o.created_at + make_interval(days => coalesce(r.retention_days, $2)) <= $1
   AND NOT EXISTS (SELECT FROM erasure_request e WHERE e.customer_id = c.id)
 ORDER BY c.id LIMIT 100
"""
