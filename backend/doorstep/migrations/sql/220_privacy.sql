-- privacy: who has asked for erasure, how long a channel keeps people, and how rows that nobody may
-- change give up what they say of a person.

-- How long a channel keeps what it knows of a customer; one without a row has the default of the column.
CREATE TABLE privacy_rule (
  channel_id     uuid        CONSTRAINT privacy_rule_pkey PRIMARY KEY
                             CONSTRAINT privacy_rule_channel_fk REFERENCES channel (id),
  -- From the last order on. Then a customer is erased, whatever is still open about him.
  retention_days integer     NOT NULL DEFAULT 3650
                             CONSTRAINT privacy_rule_retention_range CHECK (retention_days BETWEEN 30 AND 36500),
  set_by         uuid        CONSTRAINT privacy_rule_set_by_fk REFERENCES person (id),
  set_at         timestamptz NOT NULL DEFAULT now()
);

-- A wish to be forgotten, and what became of it. It holds no words: it must not need erasing itself.
CREATE TABLE erasure_request (
  id              uuid        CONSTRAINT erasure_request_pkey PRIMARY KEY,
  customer_id     uuid        NOT NULL CONSTRAINT erasure_request_customer_fk REFERENCES customer (id),
  channel_id      uuid        NOT NULL CONSTRAINT erasure_request_channel_fk REFERENCES channel (id),
  -- By which order it was asked, and by the hash of which link; the link itself is erased too.
  order_id        uuid        NOT NULL CONSTRAINT erasure_request_order_fk REFERENCES customer_order (id),
  link_hash       bytea       CONSTRAINT erasure_request_link_sha256 CHECK (octet_length(link_hash) = 32),
  -- page: on the order's page. phone, mail: told to a desk. retention: nobody asked, the time is over.
  way             text        NOT NULL CONSTRAINT erasure_request_way_known
                              CHECK (way IN ('page', 'phone', 'mail', 'retention')),
  recorded_by     uuid        CONSTRAINT erasure_request_recorded_by_fk REFERENCES person (id),
  -- The customer gives up warranties that still run; else they are waited for.
  gives_up_warranty boolean   NOT NULL,
  asked_at        timestamptz NOT NULL,
  state           text        NOT NULL DEFAULT 'waiting'
                              CONSTRAINT erasure_request_state_known CHECK (state IN ('waiting', 'done')),
  -- What it waits for, as codes of modules/privacy/rules.py; empty once it is done.
  waits_for       text[]      NOT NULL DEFAULT '{}',
  looked_at       timestamptz,
  -- When it is looked at again. After the erasure too: phones and webhooks may bring more of it.
  next_at         timestamptz,
  done_at         timestamptz,
  -- {table: rows}, and how many files.
  erased          jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT erasure_request_done_since CHECK ((state = 'done') = (done_at IS NOT NULL)),
  CONSTRAINT erasure_request_done_waits_for_nothing CHECK (state = 'waiting' OR waits_for = '{}'),
  CONSTRAINT erasure_request_waiting_is_looked_at CHECK (state = 'done' OR next_at IS NOT NULL),
  CONSTRAINT erasure_request_by_link_or_person CHECK (
    (way = 'page') = (link_hash IS NOT NULL) AND (way IN ('phone', 'mail')) = (recorded_by IS NOT NULL))
);
-- A customer is erased once, and asking twice is asking once.
CREATE UNIQUE INDEX erasure_request_once ON erasure_request (customer_id);
CREATE INDEX erasure_request_due ON erasure_request (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX erasure_request_channel ON erasure_request (channel_id, asked_at);

-- --- How rows that nobody may change give up a person -------------------------------------------

-- Only the transaction of an erasure says so, and only of a request that there is.
CREATE FUNCTION erasing() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM erasure_request
                  WHERE id = nullif(current_setting('doorstep.erasure', true), '')::uuid)
$$;

-- Of an append-only row an erasure may change these columns (the trigger's arguments), and no other:
-- what was paid, counted or decided stays what it was (IM4, IO4).
CREATE FUNCTION refuse_change_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - TG_ARGV = to_jsonb(NEW) - TG_ARGV AND erasing() THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION make_erasable(guarded regclass, VARIADIC columns text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TRIGGER %I ON %s', guarded::text || '_append_only', guarded);
  EXECUTE format(
    'CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasure(%s)',
    guarded::text || '_append_only', guarded,
    (SELECT string_agg(quote_literal(c), ', ') FROM unnest(columns) AS c));
END $$;

SELECT make_erasable('carrier_event', 'remark', 'place');
SELECT make_erasable('contact_preference', 'address', 'detail');
SELECT make_erasable('delivery_window', 'reason');
SELECT make_erasable('field_word', 'words', 'photos');
SELECT make_erasable('message_inbound', 'sender', 'body');
SELECT make_erasable('message_report', 'reason', 'content');
SELECT make_erasable('scan', 'lat', 'lng', 'accuracy_m');
SELECT make_erasable('stray_capture', 'body');
SELECT make_erasable('ticket_message', 'words');

-- A capture is kept as it came until its person is erased; its id, digest and receipt stay, so that the
-- phone that sends it again is told the same and nothing happens twice.
CREATE OR REPLACE FUNCTION capture_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.verdict IS NULL
     AND (OLD.event_id, OLD.person_id, OLD.device_id, OLD.body, OLD.received_at)
       = (NEW.event_id, NEW.person_id, NEW.device_id, NEW.body, NEW.received_at) THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.verdict IS NOT NULL
     AND to_jsonb(OLD) - 'body' = to_jsonb(NEW) - 'body' AND erasing() THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'capture % is kept as it is', OLD.event_id USING ERRCODE = 'restrict_violation';
END $$;

-- The bytes `needle` somewhere in `haystack`, for bodies that may be of any form.
CREATE FUNCTION names_any(haystack bytea, needles text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT EXISTS (SELECT FROM unnest(needles) AS needle
                  WHERE position(convert_to(needle, 'UTF8') IN haystack) > 0)
$$;
