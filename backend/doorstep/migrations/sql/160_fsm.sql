-- Field service: technicians, versioned checklists, visits, reports (SPEC J1014, J1015, F3, V5).

CREATE TABLE technician (
  person_id   uuid     CONSTRAINT technician_pk PRIMARY KEY
                       CONSTRAINT technician_person_fk REFERENCES person (id),
  channel_id  uuid     NOT NULL CONSTRAINT technician_channel_fk REFERENCES channel (id),
  skills      text[]   NOT NULL,
  -- Weekday "1" (Monday) to "7" -> [["09:00", "13:00"], ["14:00", "18:00"]] on the channel's clock.
  hours       jsonb    NOT NULL,
  active      boolean  NOT NULL DEFAULT true
);
CREATE INDEX technician_skills ON technician USING gin (skills);

-- How one product is installed. A new version is a new row, so a phone that was offline answers the
-- version it had. Without a product it is the general list, for goods that have none.
CREATE TABLE checklist (
  id           uuid        PRIMARY KEY,
  product_id   uuid        CONSTRAINT checklist_product_fk REFERENCES product (id),
  version      smallint    NOT NULL CONSTRAINT checklist_version_positive CHECK (version > 0),
  title        text        NOT NULL,
  minutes      smallint    NOT NULL CONSTRAINT checklist_minutes_bounded CHECK (minutes BETWEEN 15 AND 720),
  -- [{"id": "level", "text": "...", "kind": "check" | "number" | "text"}]
  items        jsonb       NOT NULL,
  photo_slots  text[]      NOT NULL,
  -- [{"id": "modes", "text": "..."}]
  demo_topics  jsonb       NOT NULL,
  created_at   timestamptz NOT NULL,
  CONSTRAINT checklist_version_unique UNIQUE NULLS NOT DISTINCT (product_id, version)
);
SELECT make_append_only('checklist');

CREATE TABLE visit (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT visit_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT visit_fulfilment_fk REFERENCES fulfilment (id),
  -- The warranty claim that it answers; NULL for an installation.
  claim_id       uuid,
  purpose        text        NOT NULL DEFAULT 'installation' CONSTRAINT visit_purpose_known
                             CHECK (purpose = CASE WHEN claim_id IS NULL THEN 'installation' ELSE 'warranty' END),
  technician_id  uuid        NOT NULL CONSTRAINT visit_technician_fk REFERENCES technician (person_id),
  -- What the technician had to know when it was booked.
  skills         text[]      NOT NULL,
  during         tstzrange   NOT NULL CONSTRAINT visit_during_bounded
                             CHECK (NOT isempty(during) AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL),
  state          text        NOT NULL DEFAULT 'booked' CONSTRAINT visit_state_known
                             CHECK (state IN ('booked', 'started', 'completed', 'failed', 'cancelled')),
  booked_by      uuid        CONSTRAINT visit_booked_by_fk REFERENCES person (id),
  booked_at      timestamptz NOT NULL,
  -- How often it was moved because the goods came later than planned.
  moves          smallint    NOT NULL DEFAULT 0,
  start_event_id uuid        CONSTRAINT visit_start_event_unique UNIQUE,
  started_at     timestamptz,
  completed_at   timestamptz,
  -- Nobody is in two places at once (IO6).
  CONSTRAINT visit_no_overlap
    EXCLUDE USING gist (technician_id WITH =, during WITH &&) WHERE (state IN ('booked', 'started'))
);
-- One visit that installs a parcel's goods, and one per claim, at a time.
CREATE UNIQUE INDEX visit_one_active ON visit (fulfilment_id, claim_id) NULLS NOT DISTINCT
  WHERE state IN ('booked', 'started');
CREATE INDEX visit_claim ON visit (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX visit_order ON visit (order_id);
CREATE INDEX visit_technician_open ON visit (technician_id) WHERE state IN ('booked', 'started');

-- A visit that could not be finished. Its id is the event id of the device.
CREATE TABLE visit_failure (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT visit_failure_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT visit_failure_fulfilment_fk REFERENCES fulfilment (id),
  visit_id       uuid        NOT NULL CONSTRAINT visit_failure_visit_fk REFERENCES visit (id),
  technician_id  uuid        NOT NULL CONSTRAINT visit_failure_technician_fk REFERENCES person (id),
  device_id      uuid,
  reason         text        NOT NULL,
  words          text        NOT NULL,
  photos         text[]      NOT NULL DEFAULT '{}',
  verdict        text        NOT NULL,
  captured_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL
);
CREATE INDEX visit_failure_fulfilment ON visit_failure (fulfilment_id);

-- What the technician says he did; its id is the event id of the device.
-- Not append-only: it holds a name and a signature that must be erasable.
CREATE TABLE visit_report (
  id                 uuid        PRIMARY KEY,
  order_id           uuid        NOT NULL CONSTRAINT visit_report_order_fk REFERENCES customer_order (id),
  fulfilment_id      uuid        NOT NULL CONSTRAINT visit_report_fulfilment_fk REFERENCES fulfilment (id),
  visit_id           uuid        NOT NULL CONSTRAINT visit_report_visit_fk REFERENCES visit (id),
  technician_id      uuid        NOT NULL CONSTRAINT visit_report_technician_fk REFERENCES person (id),
  device_id          uuid,
  demo_topics        text[]      NOT NULL,
  signer_name        text        NOT NULL,
  signature          jsonb,
  signature_sha256   text,
  lat                double precision,
  lng                double precision,
  accuracy_m         real,
  -- Evidence that the capture did not bring, and what does not agree with checklist and unit.
  missing            text[]      NOT NULL,
  disagreements      text[]      NOT NULL,
  verdict            text        NOT NULL CONSTRAINT visit_report_verdict_known
                                 CHECK (verdict IN ('applied', 'duplicate', 'held', 'review', 'rejected')),
  verdict_reason     text        NOT NULL,
  captured_at        timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL,
  bytes_verified_at  timestamptz,
  -- V5: by itself when everything agrees, else by a dispatcher.
  approved_at        timestamptz,
  approved_by        uuid        CONSTRAINT visit_report_approved_by_fk REFERENCES person (id),
  approval           text        CONSTRAINT visit_report_approval_known CHECK (approval IN ('automatic', 'dispatcher')),
  approval_reason    text,
  CONSTRAINT visit_report_approved_whole CHECK (num_nulls(approved_at, approval, approval_reason) IN (0, 3)),
  CONSTRAINT visit_report_approver_named CHECK (approval <> 'dispatcher' OR approved_by IS NOT NULL)
);
CREATE INDEX visit_report_visit ON visit_report (visit_id);
CREATE INDEX visit_report_fulfilment ON visit_report (fulfilment_id);

-- One row per installed unit.
CREATE TABLE visit_report_unit (
  report_id           uuid     NOT NULL CONSTRAINT visit_report_unit_report_fk REFERENCES visit_report (id),
  n                   smallint NOT NULL,
  fulfilment_line_id  uuid     NOT NULL CONSTRAINT visit_report_unit_line_fk REFERENCES fulfilment_line (id),
  checklist_id        uuid     CONSTRAINT visit_report_unit_checklist_fk REFERENCES checklist (id),
  serial              text     NOT NULL,
  answers             jsonb    NOT NULL,
  CONSTRAINT visit_report_unit_pk PRIMARY KEY (report_id, n)
);

CREATE TABLE visit_report_photo (
  report_id    uuid        NOT NULL CONSTRAINT visit_report_photo_report_fk REFERENCES visit_report (id),
  slot         text        NOT NULL,
  sha256       text        NOT NULL CONSTRAINT visit_report_photo_sha256_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  verified_at  timestamptz,
  CONSTRAINT visit_report_photo_pk PRIMARY KEY (report_id, slot, sha256)
);
CREATE INDEX visit_report_photo_waiting ON visit_report_photo (sha256) WHERE verified_at IS NULL;
