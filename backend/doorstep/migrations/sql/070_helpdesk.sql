-- helpdesk: what a person must look at.

CREATE TABLE problem (
  id uuid NOT NULL,
  kind text NOT NULL,
  title text NOT NULL,
  detail text NOT NULL DEFAULT '',
  order_id uuid,
  fulfilment_id uuid,
  -- What it is about (an event id, an AWB, a webhook id): together with kind it names the problem.
  ref text NOT NULL,
  owner_role text NOT NULL,
  due_at timestamptz,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_by uuid,
  closing_words text NOT NULL DEFAULT '',
  CONSTRAINT problem_pkey PRIMARY KEY (id),
  CONSTRAINT problem_title_length CHECK (length(title) BETWEEN 1 AND 200),
  CONSTRAINT problem_detail_length CHECK (length(detail) <= 4000),
  CONSTRAINT problem_closing_ordered CHECK (closed_at >= opened_at)
);
-- The same trouble reported again while it is open is the same problem; afterwards a new one.
CREATE UNIQUE INDEX problem_open_key ON problem (kind, ref) WHERE closed_at IS NULL;
CREATE INDEX problem_open_age_idx ON problem (opened_at) WHERE closed_at IS NULL;
CREATE INDEX problem_order_idx ON problem (order_id) WHERE order_id IS NOT NULL;
