-- When a delivery may be chosen: windows of a weekday on the channel's clock, each with room for so
-- many parcels. What is chosen is a promise like any other and lies in delivery_window.
CREATE TABLE delivery_slot (
  id            uuid     PRIMARY KEY,
  channel_id    uuid     NOT NULL CONSTRAINT delivery_slot_channel_fk REFERENCES channel (id),
  weekday       smallint NOT NULL CONSTRAINT delivery_slot_weekday_iso CHECK (weekday BETWEEN 1 AND 7),
  from_time     time     NOT NULL,
  until_time    time     NOT NULL,
  capacity      smallint NOT NULL CONSTRAINT delivery_slot_capacity_positive CHECK (capacity > 0),
  -- How long before it begins it can still be chosen: the run has to be planned and loaded.
  lead_minutes  integer  NOT NULL CONSTRAINT delivery_slot_lead_bounded CHECK (lead_minutes BETWEEN 0 AND 10080),
  active        boolean  NOT NULL DEFAULT true,
  CONSTRAINT delivery_slot_forward CHECK (from_time < until_time),
  -- One parcel takes room in one slot only.
  CONSTRAINT delivery_slot_apart EXCLUDE USING gist (
    channel_id WITH =, weekday WITH =,
    int4range((extract(epoch FROM from_time) / 60)::int, (extract(epoch FROM until_time) / 60)::int) WITH &&
  ) WHERE (active)
);
CREATE INDEX delivery_window_times ON delivery_window (until_at) WHERE until_at IS NOT NULL;

-- What a customer says to an attempt that is reported as failed; the case is the detour's.
CREATE TABLE attempt_answer (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT attempt_answer_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT attempt_answer_fulfilment_fk REFERENCES fulfilment (id),
  case_id        uuid        NOT NULL CONSTRAINT attempt_answer_case_fk REFERENCES detour_case (id)
                             CONSTRAINT attempt_answer_once UNIQUE,
  said           text        NOT NULL CONSTRAINT attempt_answer_said_known CHECK (said IN ('true', 'was_here')),
  words          text        NOT NULL CONSTRAINT attempt_answer_words_length CHECK (length(words) <= 1000),
  said_at        timestamptz NOT NULL
);
CREATE INDEX attempt_answer_order ON attempt_answer (order_id);
CREATE INDEX attempt_answer_fulfilment ON attempt_answer (fulfilment_id);
