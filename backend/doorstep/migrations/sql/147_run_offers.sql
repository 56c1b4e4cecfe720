-- Work that comes up while people are on the road is offered to one of them at a time, with an end
-- (SPEC J1012: assignment accepted).

-- How long somebody has to answer.
ALTER TABLE channel ADD COLUMN offer_minutes smallint NOT NULL DEFAULT 3
  CONSTRAINT channel_offer_minutes_bounded CHECK (offer_minutes BETWEEN 1 AND 120);

CREATE TABLE work_offer (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT work_offer_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT work_offer_fulfilment_fk REFERENCES fulfilment (id),
  channel_id     uuid        NOT NULL CONSTRAINT work_offer_channel_fk REFERENCES channel (id),
  person_id      uuid        NOT NULL CONSTRAINT work_offer_person_fk REFERENCES person (id),
  -- Who is asked after this one, in order.
  then_ids       uuid[]      NOT NULL,
  offered_by     uuid        CONSTRAINT work_offer_offered_by_fk REFERENCES person (id),
  offered_at     timestamptz NOT NULL,
  ends_at        timestamptz NOT NULL,
  -- taken: the person has it. lapsed: nobody answered in time. gone: the work went another way.
  state          text        NOT NULL DEFAULT 'open' CONSTRAINT work_offer_state_known
                             CHECK (state IN ('open', 'taken', 'declined', 'lapsed', 'withdrawn', 'gone')),
  ended_at       timestamptz,
  stop_id        uuid        CONSTRAINT work_offer_stop_fk REFERENCES delivery_stop (id),
  CONSTRAINT work_offer_forward CHECK (ends_at > offered_at),
  CONSTRAINT work_offer_ended_agrees CHECK ((state = 'open') = (ended_at IS NULL)),
  CONSTRAINT work_offer_stop_agrees CHECK ((state = 'taken') = (stop_id IS NOT NULL))
);
-- One person at a time is asked about a parcel (IO6).
CREATE UNIQUE INDEX work_offer_one_open ON work_offer (fulfilment_id) WHERE state = 'open';
CREATE INDEX work_offer_person ON work_offer (person_id, offered_at);
CREATE INDEX work_offer_channel ON work_offer (channel_id, offered_at);

-- What people answered, each as it was captured, in time or not. Its id is the event id of the phone.
CREATE TABLE work_answer (
  id           uuid        PRIMARY KEY,
  offer_id     uuid        NOT NULL CONSTRAINT work_answer_offer_fk REFERENCES work_offer (id),
  answer       text        NOT NULL CONSTRAINT work_answer_known CHECK (answer IN ('accept', 'decline')),
  reason       text        NOT NULL,
  person_id    uuid        NOT NULL CONSTRAINT work_answer_person_fk REFERENCES person (id),
  device_id    uuid,
  -- counted: it did what it says. too_late: the offer was over. not_possible: the run could not take it.
  outcome      text        NOT NULL CONSTRAINT work_answer_outcome_known
                           CHECK (outcome IN ('counted', 'too_late', 'not_possible')),
  captured_at  timestamptz NOT NULL,
  -- The earliest moment at which it can have been captured, by trusted time (IC6).
  earliest_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL
);
CREATE INDEX work_answer_offer ON work_answer (offer_id);
SELECT make_append_only('work_answer');
