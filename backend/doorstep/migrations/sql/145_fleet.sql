-- Our own fleet: vehicles, crews, the shifts they work, and what happens when a van is down
-- (SPEC J "Crew and pieces").

CREATE TABLE vehicle (
  id           uuid    PRIMARY KEY,
  code         text    NOT NULL CONSTRAINT vehicle_code_unique UNIQUE,
  channel_id   uuid    NOT NULL CONSTRAINT vehicle_channel_fk REFERENCES channel (id),
  plate        text    NOT NULL,
  capacity_kg  integer NOT NULL CONSTRAINT vehicle_capacity_kg_positive CHECK (capacity_kg > 0),
  capacity_l   integer NOT NULL CONSTRAINT vehicle_capacity_l_positive CHECK (capacity_l > 0),
  -- What is on it stands at this location of the kind `van`.
  location_id  uuid    NOT NULL CONSTRAINT vehicle_location_fk REFERENCES location (id)
                       CONSTRAINT vehicle_location_unique UNIQUE,
  active       boolean NOT NULL DEFAULT true
);
CREATE INDEX vehicle_channel ON vehicle (channel_id);

CREATE TABLE crew (
  id          uuid    PRIMARY KEY,
  channel_id  uuid    NOT NULL CONSTRAINT crew_channel_fk REFERENCES channel (id),
  name        text    NOT NULL,
  lead_id     uuid    NOT NULL CONSTRAINT crew_lead_fk REFERENCES person (id),
  active      boolean NOT NULL DEFAULT true,
  CONSTRAINT crew_name_unique UNIQUE (channel_id, name)
);

CREATE TABLE crew_member (
  crew_id    uuid NOT NULL CONSTRAINT crew_member_crew_fk REFERENCES crew (id),
  person_id  uuid NOT NULL CONSTRAINT crew_member_person_fk REFERENCES person (id),
  CONSTRAINT crew_member_pk PRIMARY KEY (crew_id, person_id)
);
-- The lead belongs to the crew; checked at commit, since the two rows refer to each other.
ALTER TABLE crew ADD CONSTRAINT crew_lead_is_member FOREIGN KEY (id, lead_id)
  REFERENCES crew_member (crew_id, person_id) DEFERRABLE INITIALLY DEFERRED;

CREATE SEQUENCE shift_number;

-- A crew with a vehicle for a day. Closed once it holds nothing and its cash is counted.
CREATE TABLE shift (
  id              uuid        PRIMARY KEY,
  number          text        NOT NULL CONSTRAINT shift_number_unique UNIQUE
                              DEFAULT 'SH-' || lpad(nextval('shift_number')::text, 6, '0'),
  crew_id         uuid        NOT NULL CONSTRAINT shift_crew_fk REFERENCES crew (id),
  vehicle_id      uuid        NOT NULL CONSTRAINT shift_vehicle_fk REFERENCES vehicle (id),
  channel_id      uuid        NOT NULL CONSTRAINT shift_channel_fk REFERENCES channel (id),
  lead_id         uuid        NOT NULL CONSTRAINT shift_lead_fk REFERENCES person (id),
  planned_on      date        NOT NULL,
  -- closing: everything is accounted for, what was explained is just being taken off the van.
  state           text        NOT NULL DEFAULT 'planned' CONSTRAINT shift_state_known
                              CHECK (state IN ('planned', 'open', 'closing', 'closed', 'cancelled')),
  planned_by      uuid        CONSTRAINT shift_planned_by_fk REFERENCES person (id),
  planned_at      timestamptz NOT NULL,
  -- The device's event ids: a shift is opened once and closed once.
  open_event_id   uuid        CONSTRAINT shift_open_event_unique UNIQUE,
  opened_by       uuid        CONSTRAINT shift_opened_by_fk REFERENCES person (id),
  opened_at       timestamptz,
  close_event_id  uuid        CONSTRAINT shift_close_event_unique UNIQUE,
  closed_by       uuid        CONSTRAINT shift_closed_by_fk REFERENCES person (id),
  closed_at       timestamptz,
  cancelled_by    uuid        CONSTRAINT shift_cancelled_by_fk REFERENCES person (id),
  cancelled_at    timestamptz,
  cancel_reason   text,
  CONSTRAINT shift_opened_whole CHECK (num_nulls(open_event_id, opened_by, opened_at) IN (0, 3)),
  CONSTRAINT shift_opened_agrees CHECK ((state IN ('planned', 'cancelled')) = (opened_at IS NULL)),
  CONSTRAINT shift_closing_whole CHECK (num_nulls(close_event_id, closed_by) IN (0, 2)),
  CONSTRAINT shift_closing_agrees CHECK ((state IN ('closing', 'closed')) = (close_event_id IS NOT NULL)),
  CONSTRAINT shift_closed_agrees CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CONSTRAINT shift_cancelled_agrees CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
  CONSTRAINT shift_cancelled_whole CHECK (num_nulls(cancelled_by, cancelled_at, cancel_reason) IN (0, 3))
);
CREATE INDEX shift_day ON shift (channel_id, planned_on);
-- One open shift per vehicle.
CREATE UNIQUE INDEX shift_one_open_per_vehicle ON shift (vehicle_id) WHERE state IN ('open', 'closing');

-- Who works a shift: the crew as it stood when it was opened.
CREATE TABLE shift_member (
  shift_id   uuid    NOT NULL CONSTRAINT shift_member_shift_fk REFERENCES shift (id),
  person_id  uuid    NOT NULL CONSTRAINT shift_member_person_fk REFERENCES person (id),
  on_duty    boolean NOT NULL DEFAULT false,
  CONSTRAINT shift_member_pk PRIMARY KEY (shift_id, person_id)
);
-- One open shift per person.
CREATE UNIQUE INDEX shift_member_one_on_duty ON shift_member (person_id) WHERE on_duty;
CREATE INDEX shift_member_person ON shift_member (person_id);

-- Where the goods are that a crew neither delivered nor brought back, in its own words.
CREATE TABLE shift_explanation (
  id             uuid        PRIMARY KEY,
  shift_id       uuid        NOT NULL CONSTRAINT shift_explanation_shift_fk REFERENCES shift (id),
  order_id       uuid        NOT NULL CONSTRAINT shift_explanation_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT shift_explanation_fulfilment_fk REFERENCES fulfilment (id),
  -- Empty: the whole parcel.
  label_no       text,
  reason         text        NOT NULL CONSTRAINT shift_explanation_reason_known
                             CHECK (reason IN ('left_at_customer', 'lost', 'damaged', 'at_hub', 'other')),
  words          text        NOT NULL,
  photo_sha256   text        CONSTRAINT shift_explanation_photo_hex CHECK (photo_sha256 ~ '^[0-9a-f]{64}$'),
  explained_by   uuid        NOT NULL CONSTRAINT shift_explanation_person_fk REFERENCES person (id),
  explained_at   timestamptz NOT NULL,
  CONSTRAINT shift_explanation_once UNIQUE NULLS NOT DISTINCT (shift_id, fulfilment_id, label_no)
);
CREATE INDEX shift_explanation_fulfilment ON shift_explanation (fulfilment_id);

-- A van is down: what it had to do goes to another shift. The id is the event id of the call.
CREATE TABLE van_down (
  id             uuid        PRIMARY KEY,
  from_shift_id  uuid        NOT NULL CONSTRAINT van_down_from_fk REFERENCES shift (id),
  to_shift_id    uuid        NOT NULL CONSTRAINT van_down_to_fk REFERENCES shift (id),
  reason         text        NOT NULL,
  told_by        uuid        CONSTRAINT van_down_told_by_fk REFERENCES person (id),
  told_at        timestamptz NOT NULL,
  -- The earlier call whose parcels go back by this one; empty: everything the van has to do.
  undoes_id      uuid        CONSTRAINT van_down_undoes_fk REFERENCES van_down (id),
  CONSTRAINT van_down_two_shifts CHECK (from_shift_id <> to_shift_id)
);

CREATE TABLE van_down_parcel (
  van_down_id    uuid     NOT NULL CONSTRAINT van_down_parcel_van_down_fk REFERENCES van_down (id),
  n              smallint NOT NULL,
  order_id       uuid     NOT NULL CONSTRAINT van_down_parcel_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid     NOT NULL CONSTRAINT van_down_parcel_fulfilment_fk REFERENCES fulfilment (id),
  -- Empty: the goods are on the van without a stop.
  stop_id        uuid     CONSTRAINT van_down_parcel_stop_fk REFERENCES delivery_stop (id),
  -- waiting: to be moved. moved: the other crew has it to do. left: the other vehicle cannot take
  -- it. gone: delivered or taken off before its turn came.
  state          text     NOT NULL CONSTRAINT van_down_parcel_state_known
                          CHECK (state IN ('waiting', 'moved', 'left', 'gone')),
  new_stop_id    uuid     CONSTRAINT van_down_parcel_new_stop_fk REFERENCES delivery_stop (id),
  -- Why it was left.
  words          text     NOT NULL DEFAULT '',
  CONSTRAINT van_down_parcel_pk PRIMARY KEY (van_down_id, n),
  CONSTRAINT van_down_parcel_once UNIQUE (van_down_id, fulfilment_id)
);
CREATE INDEX van_down_parcel_fulfilment ON van_down_parcel (fulfilment_id);

-- A run belongs to one person, or to everybody who works its shift.
ALTER TABLE delivery_run
  ADD COLUMN shift_id uuid CONSTRAINT delivery_run_shift_fk REFERENCES shift (id);
CREATE INDEX delivery_run_shift ON delivery_run (shift_id) WHERE shift_id IS NOT NULL;

CREATE VIEW run_person AS
SELECT r.id AS run_id, r.person_id FROM delivery_run r WHERE r.shift_id IS NULL
UNION ALL
SELECT r.id, m.person_id FROM delivery_run r JOIN shift_member m ON m.shift_id = r.shift_id;
