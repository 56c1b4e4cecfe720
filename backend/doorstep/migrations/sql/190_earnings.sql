-- What people in the field earn by finished work: rates of a channel, and the lines that follow.

-- A rate is never changed: a new one is a new version. The newest version that had begun when the
-- work was done is the one that holds; where that one is nothing, the work is not paid by piece.
CREATE TABLE earning_rate (
  id            uuid        CONSTRAINT earning_rate_pkey PRIMARY KEY,
  channel_id    uuid        NOT NULL CONSTRAINT earning_rate_of_channel REFERENCES channel (id),
  kind          text        NOT NULL CONSTRAINT earning_rate_kind_known CHECK (kind IN
                  ('delivery', 'failed_attempt', 'pickup', 'installation', 'failed_visit', 'shift_hour')),
  version       int         NOT NULL CONSTRAINT earning_rate_version_positive CHECK (version > 0),
  -- Of one piece of work, or of one hour, in the currency of the channel.
  amount_minor  bigint      NOT NULL CONSTRAINT earning_rate_range CHECK (amount_minor BETWEEN 0 AND 1000000000),
  valid_from    timestamptz NOT NULL,
  reason        text        NOT NULL CONSTRAINT earning_rate_reason_given CHECK (btrim(reason) <> ''),
  set_by        uuid        CONSTRAINT earning_rate_set_by REFERENCES person (id),
  set_at        timestamptz NOT NULL,
  CONSTRAINT earning_rate_version_unique UNIQUE (channel_id, kind, version)
);
SELECT make_append_only('earning_rate');

-- One line for each finished piece of work (`event_id`) and person; what is taken away again is a
-- counter-line, what is given back another line. So the odd ones of a row add and the even ones
-- take the same away: the sum is what the work earns, once or not at all.
CREATE TABLE earning_line (
  event_id      uuid        NOT NULL,
  kind          text        NOT NULL,
  person_id     uuid        NOT NULL CONSTRAINT earning_line_of_person REFERENCES person (id),
  n             smallint    NOT NULL CONSTRAINT earning_line_n_positive CHECK (n > 0),
  channel_id    uuid        NOT NULL CONSTRAINT earning_line_of_channel REFERENCES channel (id),
  rate_id       uuid        NOT NULL CONSTRAINT earning_line_by_rate REFERENCES earning_rate (id),
  order_id      uuid        CONSTRAINT earning_line_of_order REFERENCES customer_order (id),
  -- What the work is known by on paper: the number of an order, a manifest or a shift.
  number        text        NOT NULL,
  -- Of hours only: how long they were.
  minutes       int         CONSTRAINT earning_line_minutes_positive CHECK (minutes > 0),
  currency      text        NOT NULL,
  amount_minor  bigint      NOT NULL,
  reason        text        NOT NULL CONSTRAINT earning_line_reason_known CHECK (reason IN
                  ('done', 'not_accepted', 'replaced', 'decided', 'given_back')),
  -- Of a desk that has decided.
  words         text        NOT NULL,
  -- When the work was done, as far as its phone's time is possible (IC6), and on which day of the channel.
  worked_at     timestamptz NOT NULL,
  worked_on     date        NOT NULL,
  made_at       timestamptz NOT NULL,
  CONSTRAINT earning_line_pkey PRIMARY KEY (event_id, kind, person_id, n),
  CONSTRAINT earning_line_turns CHECK (sign(amount_minor) = CASE n % 2 WHEN 1 THEN 1 ELSE -1 END),
  CONSTRAINT earning_line_hours_timed CHECK ((kind = 'shift_hour') = (minutes IS NOT NULL))
);
CREATE INDEX earning_line_of_day ON earning_line (person_id, worked_on);
CREATE INDEX earning_line_in_channel ON earning_line (channel_id, worked_on);
SELECT make_append_only('earning_line');

-- A desk's word that a piece of work earns or does not, whatever follows from its captures: what was
-- amended away, or counts all the same. The newest holds.
CREATE TABLE earning_decision (
  id          uuid        CONSTRAINT earning_decision_pkey PRIMARY KEY,
  event_id    uuid        NOT NULL,
  -- The how many-th word about the work: the clocks of two servers do not decide which is the newest.
  n           integer     NOT NULL CONSTRAINT earning_decision_n_positive CHECK (n > 0),
  earns       boolean     NOT NULL,
  reason      text        NOT NULL CONSTRAINT earning_decision_reason_given CHECK (btrim(reason) <> ''),
  decided_by  uuid        NOT NULL CONSTRAINT earning_decision_by_person REFERENCES person (id),
  decided_at  timestamptz NOT NULL,
  CONSTRAINT earning_decision_once UNIQUE (event_id, n)
);
SELECT make_append_only('earning_decision');
