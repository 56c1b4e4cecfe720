"""The statements of helpdesk."""

# The update of nothing makes RETURNING answer the open problem when it is there already.
OPEN = """
INSERT INTO problem (id, kind, title, detail, order_id, fulfilment_id, ref, owner_role, due_at,
                     opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (kind, ref) WHERE closed_at IS NULL DO UPDATE SET kind = problem.kind
RETURNING id
"""

CLOSE_ABOUT = """
UPDATE problem SET closed_at = $3, closed_by = $4, closing_words = $5
 WHERE kind = $1 AND ref = $2 AND closed_at IS NULL
"""

CLOSE = """
UPDATE problem SET closed_at = $2, closed_by = $3, closing_words = $4
 WHERE id = $1 AND closed_at IS NULL
"""
