-- What Doorstep asked other systems and what they answered, for support to read (DESIGN §4).
-- Written outside business transactions: before the request, and again with its answer. A row
-- without ended_at is a call whose answer nobody saw, for example because the process died.
CREATE TABLE outgoing_call (
  id uuid PRIMARY KEY,
  system text NOT NULL,
  purpose text NOT NULL,
  order_id uuid,                        -- no foreign key: the log outlives an erased order
  attempt smallint NOT NULL,
  method text NOT NULL,
  url text NOT NULL,                    -- secrets in the query are replaced
  request_body text,                    -- secrets and personal data are replaced
  status smallint,
  answer_body text,                     -- likewise, cut at 64 kB
  error text,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  duration_ms integer,
  CONSTRAINT outgoing_call_attempt_counts CHECK (attempt >= 1),
  CONSTRAINT outgoing_call_ends_with_duration CHECK ((ended_at IS NULL) = (duration_ms IS NULL))
);
-- Support looks by order; the log is read newest first and trimmed oldest first.
CREATE INDEX outgoing_call_order ON outgoing_call (order_id, started_at) WHERE order_id IS NOT NULL;
CREATE INDEX outgoing_call_started ON outgoing_call (started_at);
