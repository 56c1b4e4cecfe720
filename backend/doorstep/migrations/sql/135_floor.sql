-- The warehouse floor beside picking: goods that come in, adjustments, cycle counts, the end of a
-- shift. What is booked stands in stock and stock_movement; here stands who saw what, and why.

CREATE SEQUENCE arrival_number;
CREATE FUNCTION next_arrival_number() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT 'RC-' || lpad(n::text, greatest(6, length(n::text)), '0')
    FROM (SELECT nextval('arrival_number') AS n) AS drawn
$$;

CREATE TABLE expected_arrival (
  id uuid CONSTRAINT expected_arrival_pkey PRIMARY KEY,
  number text NOT NULL DEFAULT next_arrival_number(),
  kind text NOT NULL,
  ref text NOT NULL,                      -- PO number, AWB, RMA number: what is printed on the goods
  channel_id uuid NOT NULL REFERENCES channel (id),
  location_id uuid REFERENCES location (id),       -- null: any location of the channel
  receiving_at uuid REFERENCES location (id),      -- where the open round of scans happens
  from_location_id uuid REFERENCES location (id),  -- transfers only: where the goods stand until then
  owner_id uuid REFERENCES vendor (id),   -- null: our own goods
  order_id uuid REFERENCES customer_order (id),
  fulfilment_id uuid REFERENCES fulfilment (id),
  state text NOT NULL DEFAULT 'expected',
  round int NOT NULL DEFAULT 1,           -- each finish ends a round of scans
  expected_on date,
  created_by uuid,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  ended_by uuid,
  ending_words text NOT NULL DEFAULT '',
  CONSTRAINT expected_arrival_number_unique UNIQUE (number),
  CONSTRAINT expected_arrival_ref_unique UNIQUE (kind, ref),
  CONSTRAINT expected_arrival_kind_known
    CHECK (kind IN ('purchase', 'return_to_origin', 'customer_return', 'transfer')),
  CONSTRAINT expected_arrival_state_known
    CHECK (state IN ('expected', 'receiving', 'received', 'cancelled')),
  CONSTRAINT expected_arrival_return_has_parcel CHECK (
    (kind IN ('return_to_origin', 'customer_return')) = (fulfilment_id IS NOT NULL)
    AND (fulfilment_id IS NULL) = (order_id IS NULL)),
  CONSTRAINT expected_arrival_transfer_has_origin
    CHECK ((kind = 'transfer') = (from_location_id IS NOT NULL)),
  CONSTRAINT expected_arrival_receiving_somewhere
    CHECK ((state = 'receiving') = (receiving_at IS NOT NULL)),
  CONSTRAINT expected_arrival_end_timed
    CHECK ((state IN ('received', 'cancelled')) = (ended_at IS NOT NULL))
);
CREATE INDEX expected_arrival_open ON expected_arrival (channel_id, location_id)
  WHERE state IN ('expected', 'receiving');
CREATE INDEX expected_arrival_by_ref ON expected_arrival (ref);
CREATE INDEX expected_arrival_by_fulfilment ON expected_arrival (fulfilment_id)
  WHERE fulfilment_id IS NOT NULL;

CREATE TABLE expected_line (
  id uuid CONSTRAINT expected_line_pkey PRIMARY KEY,
  arrival_id uuid NOT NULL REFERENCES expected_arrival (id),
  position smallint NOT NULL,
  fulfilment_line_id uuid REFERENCES fulfilment_line (id),
  product_id uuid NOT NULL REFERENCES product (id),
  quantity int NOT NULL,
  serials text[] NOT NULL DEFAULT '{}',   -- announced ones; empty: any serial will do
  received int NOT NULL DEFAULT 0,
  CONSTRAINT expected_line_position_unique UNIQUE (arrival_id, position),
  CONSTRAINT expected_line_quantity_positive CHECK (quantity > 0),
  -- More than was expected is a difference for a person, never stock.
  CONSTRAINT expected_line_never_over CHECK (received BETWEEN 0 AND quantity)
);
CREATE INDEX expected_line_serials ON expected_line USING gin (serials);

CREATE TABLE receipt_scan (
  id uuid CONSTRAINT receipt_scan_pkey PRIMARY KEY,  -- made by the scanner: a repeat is the same row
  arrival_id uuid NOT NULL REFERENCES expected_arrival (id),
  round int NOT NULL,
  location_id uuid NOT NULL REFERENCES location (id),
  code text NOT NULL,
  serial text,
  quantity int NOT NULL,
  grade text NOT NULL,
  verdict text NOT NULL,
  words text NOT NULL DEFAULT '',
  line_id uuid REFERENCES expected_line (id),
  takes_back uuid REFERENCES receipt_scan (id),
  photo_sha256 text,
  actor_id uuid,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT receipt_scan_taken_back_once UNIQUE (takes_back),
  CONSTRAINT receipt_scan_quantity_positive CHECK (quantity > 0),
  CONSTRAINT receipt_scan_grade_known
    CHECK (grade IN ('sellable', 'open_box', 'vendor_return', 'scrap')),
  CONSTRAINT receipt_scan_verdict_known CHECK (verdict IN (
    'right', 'taken_back', 'unknown_code', 'over', 'serial_needed', 'serial_of_other_product',
    'serial_of_other_parcel', 'serial_known', 'already_scanned', 'one_at_a_time', 'not_scrap',
    'nothing_to_take_back', 'ended')),
  CONSTRAINT receipt_scan_right_has_line CHECK (verdict <> 'right' OR line_id IS NOT NULL)
);
CREATE INDEX receipt_scan_by_round ON receipt_scan (arrival_id, round);
SELECT make_append_only('receipt_scan');

-- A finished round: what was booked then, and what did not agree.
CREATE TABLE receipt (
  id uuid CONSTRAINT receipt_pkey PRIMARY KEY,       -- the finish event's id
  arrival_id uuid NOT NULL REFERENCES expected_arrival (id),
  round int NOT NULL,
  location_id uuid NOT NULL REFERENCES location (id),
  complete boolean NOT NULL,
  differences text[] NOT NULL,
  actor_id uuid,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT receipt_round_once UNIQUE (arrival_id, round)
);
SELECT make_append_only('receipt');

CREATE TABLE receipt_line (
  receipt_id uuid NOT NULL REFERENCES receipt (id),
  line_id uuid NOT NULL REFERENCES expected_line (id),
  grade text NOT NULL,
  quantity int NOT NULL,
  serials text[] NOT NULL DEFAULT '{}',
  CONSTRAINT receipt_line_pkey PRIMARY KEY (receipt_id, line_id, grade),
  CONSTRAINT receipt_line_quantity_positive CHECK (quantity > 0)
);
CREATE INDEX receipt_line_by_line ON receipt_line (line_id);
SELECT make_append_only('receipt_line');

-- Goods that nobody expected: kept as seen, nothing is booked.
CREATE TABLE unannounced_goods (
  id uuid CONSTRAINT unannounced_goods_pkey PRIMARY KEY,
  location_id uuid NOT NULL REFERENCES location (id),
  code text NOT NULL,
  words text NOT NULL,
  photo_sha256 text,
  actor_id uuid,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL
);
SELECT make_append_only('unannounced_goods');

-- How much a channel lets pass without a second person, within a day and by one person.
CREATE TABLE adjustment_policy (
  channel_id uuid CONSTRAINT adjustment_policy_pkey PRIMARY KEY REFERENCES channel (id),
  max_units int NOT NULL,
  max_value_minor bigint NOT NULL,
  CONSTRAINT adjustment_policy_positive CHECK (max_units >= 0 AND max_value_minor >= 0)
);

CREATE SEQUENCE count_number;
CREATE FUNCTION next_count_number() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT 'CC-' || lpad(n::text, greatest(6, length(n::text)), '0')
    FROM (SELECT nextval('count_number') AS n) AS drawn
$$;

CREATE TABLE cycle_count (
  id uuid CONSTRAINT cycle_count_pkey PRIMARY KEY,
  number text NOT NULL DEFAULT next_count_number(),
  location_id uuid NOT NULL REFERENCES location (id),
  state text NOT NULL DEFAULT 'open',
  why text NOT NULL,
  due_on date NOT NULL,
  opened_by uuid,                         -- null: the daily proposal
  opened_at timestamptz NOT NULL,
  finish_event_id uuid,
  finished_by uuid,
  finished_at timestamptz,
  CONSTRAINT cycle_count_number_unique UNIQUE (number),
  CONSTRAINT cycle_count_state_known CHECK (state IN ('open', 'finished')),
  CONSTRAINT cycle_count_finish_whole CHECK (
    (state = 'finished') = (finished_at IS NOT NULL)
    AND (state = 'finished') = (finish_event_id IS NOT NULL))
);
-- The daily proposal is made once, however often its job runs.
CREATE UNIQUE INDEX cycle_count_daily_once ON cycle_count (location_id, due_on)
  WHERE opened_by IS NULL;
CREATE INDEX cycle_count_open ON cycle_count (location_id, opened_at) WHERE state = 'open';

CREATE TABLE cycle_count_line (
  id uuid CONSTRAINT cycle_count_line_pkey PRIMARY KEY,
  count_id uuid NOT NULL REFERENCES cycle_count (id),
  product_id uuid NOT NULL REFERENCES product (id),
  owner_id uuid REFERENCES vendor (id),
  grade text NOT NULL,
  -- The entry that counts; until then the line is to be counted (again).
  entry_id uuid,
  difference int,
  missing_serials text[] NOT NULL DEFAULT '{}',
  extra_serials text[] NOT NULL DEFAULT '{}',
  counted_at timestamptz,
  CONSTRAINT cycle_count_line_once UNIQUE NULLS NOT DISTINCT (count_id, product_id, owner_id, grade),
  CONSTRAINT cycle_count_line_counted_whole CHECK (
    (entry_id IS NULL) = (difference IS NULL) AND (entry_id IS NULL) = (counted_at IS NULL)),
  CONSTRAINT cycle_count_line_grade_known CHECK (grade IN ('sellable', 'open_box', 'vendor_return'))
);
CREATE INDEX cycle_count_line_by_product ON cycle_count_line (product_id, counted_at);

-- What somebody counted, blind; on_hand is what the books said then, never shown to the counter.
CREATE TABLE count_entry (
  id uuid CONSTRAINT count_entry_pkey PRIMARY KEY,
  line_id uuid NOT NULL REFERENCES cycle_count_line (id),
  quantity int NOT NULL,
  serials text[] NOT NULL DEFAULT '{}',
  on_hand_captured int NOT NULL,
  on_hand_recorded int NOT NULL,
  verdict text NOT NULL,
  actor_id uuid,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT count_entry_quantity_positive CHECK (quantity >= 0),
  CONSTRAINT count_entry_verdict_known CHECK (verdict IN ('kept', 'again'))
);
CREATE INDEX count_entry_by_line ON count_entry (line_id);
SELECT make_append_only('count_entry');

CREATE TABLE stock_adjustment (
  id uuid CONSTRAINT stock_adjustment_pkey PRIMARY KEY,
  location_id uuid NOT NULL REFERENCES location (id),
  product_id uuid NOT NULL REFERENCES product (id),
  owner_id uuid REFERENCES vendor (id),
  grade text NOT NULL,
  to_grade text,                          -- set: pieces change their grade, their number stays
  quantity int NOT NULL,                  -- more (+) or fewer (-) pieces
  serials text[] NOT NULL DEFAULT '{}',
  reason text NOT NULL,
  words text NOT NULL,
  photo_sha256 text,
  count_line_id uuid REFERENCES cycle_count_line (id),
  unit_cost_minor bigint,                 -- null: not known
  currency text NOT NULL,
  state text NOT NULL DEFAULT 'proposed',
  why text NOT NULL,                      -- why it approved itself, or what it waits for
  proposed_by uuid,
  captured_at timestamptz NOT NULL,
  proposed_at timestamptz NOT NULL,
  decided_by uuid,                        -- null on a decided one: the policy
  decided_at timestamptz,
  decision_words text NOT NULL DEFAULT '',
  CONSTRAINT stock_adjustment_not_empty CHECK (quantity <> 0),
  CONSTRAINT stock_adjustment_grade_known CHECK (grade IN ('sellable', 'open_box', 'vendor_return')),
  CONSTRAINT stock_adjustment_regrade CHECK (
    to_grade IS NULL
    OR (to_grade IN ('sellable', 'open_box', 'vendor_return') AND to_grade <> grade AND quantity > 0)),
  CONSTRAINT stock_adjustment_reason_known
    CHECK (reason IN ('damaged', 'lost', 'found', 'expired', 'miscount', 'other')),
  CONSTRAINT stock_adjustment_state_known CHECK (state IN ('proposed', 'approved', 'rejected')),
  CONSTRAINT stock_adjustment_decision_timed CHECK ((state = 'proposed') = (decided_at IS NULL)),
  -- Nobody approves what he proposed himself, whatever the code does.
  CONSTRAINT stock_adjustment_second_person CHECK (decided_by <> proposed_by)
);
CREATE INDEX stock_adjustment_waiting ON stock_adjustment (location_id) WHERE state = 'proposed';
CREATE INDEX stock_adjustment_by_person ON stock_adjustment (proposed_by, proposed_at);
CREATE UNIQUE INDEX stock_adjustment_count_once ON stock_adjustment (count_line_id, sign(quantity))
  WHERE count_line_id IS NOT NULL;

-- What a location asks of a role at the end of a shift, where it is not the usual list.
CREATE TABLE shift_item (
  location_id uuid NOT NULL REFERENCES location (id),
  role text NOT NULL,
  code text NOT NULL,
  words text NOT NULL,
  position smallint NOT NULL,
  CONSTRAINT shift_item_pkey PRIMARY KEY (location_id, role, code)
);

CREATE TABLE shift_answer (
  id uuid CONSTRAINT shift_answer_pkey PRIMARY KEY,
  person_id uuid NOT NULL REFERENCES person (id),
  role text NOT NULL,
  location_id uuid,                       -- the person's at that time, as in person
  answers jsonb NOT NULL,                 -- [{code, ok, words}]
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX shift_answer_by_person ON shift_answer (person_id, recorded_at);
SELECT make_append_only('shift_answer');
