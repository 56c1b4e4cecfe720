-- helpdesk: what waits for a person, tickets, when people work, and who is asked next.

-- Countries without a calendar work round the clock: nothing waits for ever for want of a row.
CREATE TABLE business_calendar (
  country text NOT NULL,
  zone text NOT NULL,
  -- {"1": [["09:00", "18:00"]], …}: ISO weekday, Monday is 1, to the open spans of that day.
  working_hours jsonb NOT NULL,
  CONSTRAINT business_calendar_pkey PRIMARY KEY (country),
  CONSTRAINT business_calendar_country_iso CHECK (country ~ '^[A-Z]{2}$')
);

CREATE TABLE holiday (
  country text NOT NULL,
  held_on date NOT NULL,
  name text NOT NULL,
  CONSTRAINT holiday_pkey PRIMARY KEY (country, held_on),
  CONSTRAINT holiday_calendar_fk FOREIGN KEY (country) REFERENCES business_calendar (country),
  CONSTRAINT holiday_name_length CHECK (length(name) BETWEEN 1 AND 100)
);

CREATE TABLE problem (
  id uuid NOT NULL,
  kind text NOT NULL,
  title text NOT NULL,
  detail text NOT NULL DEFAULT '',
  order_id uuid,
  fulfilment_id uuid,
  -- NULL: it belongs to no order and no channel, so only people of all channels see it.
  channel_id uuid,
  -- Whose calendar counts; NULL: round the clock.
  country text,
  -- What it is about (an event id, an AWB, a webhook id): together with kind it names the problem.
  ref text NOT NULL,
  owner_role text NOT NULL,
  -- NULL: nobody has taken it out of the role's queue yet.
  owner_id uuid,
  -- How often it was escalated.
  level smallint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  -- When the next rule fires; NULL: no rule is left.
  escalates_at timestamptz,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_by uuid,
  closing_words text NOT NULL DEFAULT '',
  CONSTRAINT problem_pkey PRIMARY KEY (id),
  CONSTRAINT problem_title_length CHECK (length(title) BETWEEN 1 AND 200),
  CONSTRAINT problem_detail_length CHECK (length(detail) <= 4000),
  CONSTRAINT problem_level_range CHECK (level BETWEEN 0 AND 3),
  CONSTRAINT problem_closing_ordered CHECK (closed_at >= opened_at)
);
-- The same trouble reported again while it is open is the same problem; afterwards a new one.
CREATE UNIQUE INDEX problem_open_key ON problem (kind, ref) WHERE closed_at IS NULL;
CREATE INDEX problem_open_due_idx ON problem (due_at) WHERE closed_at IS NULL;
CREATE INDEX problem_escalates_idx ON problem (escalates_at) WHERE closed_at IS NULL;
CREATE INDEX problem_order_idx ON problem (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX problem_open_fulfilment_idx ON problem (fulfilment_id) WHERE closed_at IS NULL;
CREATE INDEX problem_kind_ref_idx ON problem (kind, ref);

-- Whom a problem goes to when it waits too long. The most specific rule of a level counts:
-- kind and country, kind, country, any. While there is none at all, those of helpdesk/rules.py count.
CREATE TABLE escalation_rule (
  id uuid NOT NULL,
  -- NULL: any.
  kind text,
  country text,
  level smallint NOT NULL,
  -- Business minutes in the country's calendar.
  after_minutes integer NOT NULL,
  counted_from text NOT NULL,
  -- Whose it becomes; NULL: it stays in its queue, whose people are told again.
  owner_role text,
  -- The roles whose people get a message, beside those of the role that owns the problem now.
  tells text[] NOT NULL,
  CONSTRAINT escalation_rule_pkey PRIMARY KEY (id),
  CONSTRAINT escalation_rule_once_key UNIQUE NULLS NOT DISTINCT (kind, country, level),
  CONSTRAINT escalation_rule_level_range CHECK (level BETWEEN 1 AND 3),
  CONSTRAINT escalation_rule_minutes_range CHECK (after_minutes BETWEEN 0 AND 100000),
  CONSTRAINT escalation_rule_start_known CHECK (counted_from IN ('opened', 'due')),
  CONSTRAINT escalation_rule_country_iso CHECK (country ~ '^[A-Z]{2}$')
);

-- Each level of a problem fires once, whichever worker comes first.
CREATE TABLE escalation (
  id uuid NOT NULL,
  problem_id uuid NOT NULL,
  level smallint NOT NULL,
  due_at timestamptz NOT NULL,
  fired_at timestamptz NOT NULL,
  from_role text NOT NULL,
  from_id uuid,
  owner_role text NOT NULL,
  tells text[] NOT NULL,
  CONSTRAINT escalation_pkey PRIMARY KEY (id),
  CONSTRAINT escalation_once_key UNIQUE (problem_id, level),
  CONSTRAINT escalation_problem_fk FOREIGN KEY (problem_id) REFERENCES problem (id),
  CONSTRAINT escalation_never_early CHECK (fired_at >= due_at)
);
SELECT make_append_only('escalation');

CREATE SEQUENCE ticket_number;
-- lpad would cut the seventh digit off.
CREATE FUNCTION next_ticket_number() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT 'TK-' || lpad(n::text, greatest(6, length(n::text)), '0')
    FROM (SELECT nextval('ticket_number') AS n) AS drawn
$$;

-- What somebody wants of us. While it is open it stands among the problems, which carry its owner,
-- deadline and escalation; reopened, it gets a new problem.
CREATE TABLE ticket (
  -- Brought by whoever opens it: the same id again is the same ticket.
  id uuid NOT NULL,
  number text NOT NULL DEFAULT next_ticket_number(),
  type text NOT NULL,
  channel_id uuid NOT NULL,
  order_id uuid,
  fulfilment_id uuid,
  title text NOT NULL,
  words text NOT NULL,
  state text NOT NULL DEFAULT 'open',
  problem_id uuid NOT NULL,
  opened_by uuid,
  opened_by_role text NOT NULL,
  opened_at timestamptz NOT NULL,
  resolved_at timestamptz,
  resolution text NOT NULL DEFAULT '',
  CONSTRAINT ticket_pkey PRIMARY KEY (id),
  CONSTRAINT ticket_number_key UNIQUE (number),
  CONSTRAINT ticket_problem_fk FOREIGN KEY (problem_id) REFERENCES problem (id),
  CONSTRAINT ticket_type_known CHECK (type IN
    ('complaint', 'return', 'damage', 'missing_part', 'warranty', 'question', 'refund', 'other')),
  CONSTRAINT ticket_state_known CHECK (state IN ('open', 'waiting', 'resolved', 'closed')),
  CONSTRAINT ticket_resolved_since CHECK (
    (state IN ('resolved', 'closed')) = (resolved_at IS NOT NULL)),
  CONSTRAINT ticket_title_length CHECK (length(title) BETWEEN 1 AND 180),
  CONSTRAINT ticket_words_length CHECK (length(words) <= 4000),
  CONSTRAINT ticket_resolution_length CHECK (length(resolution) <= 1000)
);
CREATE INDEX ticket_order_idx ON ticket (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX ticket_channel_idx ON ticket (channel_id, opened_at);
CREATE INDEX ticket_resolved_idx ON ticket (resolved_at) WHERE state = 'resolved';
CREATE INDEX ticket_problem_idx ON ticket (problem_id);

CREATE TABLE ticket_message (
  -- Brought by whoever writes it.
  id uuid NOT NULL,
  ticket_id uuid NOT NULL,
  author text NOT NULL,
  person_id uuid,
  words text NOT NULL,
  written_at timestamptz NOT NULL,
  CONSTRAINT ticket_message_pkey PRIMARY KEY (id),
  CONSTRAINT ticket_message_ticket_fk FOREIGN KEY (ticket_id) REFERENCES ticket (id),
  -- internal: for colleagues, never shown to the customer.
  CONSTRAINT ticket_message_author_known CHECK (author IN ('customer', 'staff', 'internal')),
  CONSTRAINT ticket_message_words_length CHECK (length(words) BETWEEN 1 AND 4000)
);
CREATE INDEX ticket_message_ticket_idx ON ticket_message (ticket_id, written_at);
SELECT make_append_only('ticket_message');

CREATE TABLE ticket_photo (
  ticket_id uuid NOT NULL,
  sha256 text NOT NULL,
  added_by uuid,
  added_at timestamptz NOT NULL,
  CONSTRAINT ticket_photo_pkey PRIMARY KEY (ticket_id, sha256),
  CONSTRAINT ticket_photo_ticket_fk FOREIGN KEY (ticket_id) REFERENCES ticket (id),
  CONSTRAINT ticket_photo_sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
