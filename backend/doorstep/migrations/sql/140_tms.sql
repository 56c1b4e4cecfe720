-- Transport: carriers, shipments and their pieces, manifests, scans, carrier events, delivery runs,
-- the proof of delivery (SPEC J1008-J1013, F2, P11-P13, P16).

CREATE TABLE carrier (
  id          uuid        PRIMARY KEY,
  code        text        NOT NULL CONSTRAINT carrier_code_unique UNIQUE,
  name        text        NOT NULL,
  -- own: our people and vans, AWB from our own sequence. aggregator, direct: the AWB comes from outside.
  kind        text        NOT NULL CONSTRAINT carrier_kind_known CHECK (kind IN ('own', 'aggregator', 'direct')),
  active      boolean     NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL DEFAULT now()
);

-- Who carries what for which channel; the lowest priority is asked first (P12).
CREATE TABLE carrier_service (
  carrier_id    uuid     NOT NULL CONSTRAINT carrier_service_carrier_fk REFERENCES carrier (id),
  channel_id    uuid     NOT NULL CONSTRAINT carrier_service_channel_fk REFERENCES channel (id),
  service       text     NOT NULL CONSTRAINT carrier_service_service_known CHECK (service IN ('standard', 'express', 'overnight')),
  priority      smallint NOT NULL DEFAULT 100,
  -- The daily pickup window, on the channel's clock.
  pickup_from   time     NOT NULL DEFAULT '09:00',
  pickup_until  time     NOT NULL DEFAULT '18:00',
  CONSTRAINT carrier_service_pk PRIMARY KEY (carrier_id, channel_id, service),
  CONSTRAINT carrier_service_window_forward CHECK (pickup_from < pickup_until)
);
CREATE INDEX carrier_service_choice ON carrier_service (channel_id, service, priority);

CREATE SEQUENCE awb_number MAXVALUE 99999999;

CREATE TABLE shipment (
  id            uuid        PRIMARY KEY,
  order_id      uuid        NOT NULL CONSTRAINT shipment_order_fk REFERENCES customer_order (id),
  fulfilment_id uuid        NOT NULL CONSTRAINT shipment_fulfilment_fk REFERENCES fulfilment (id),
  carrier_id    uuid        NOT NULL CONSTRAINT shipment_carrier_fk REFERENCES carrier (id),
  -- A return or a replacement leg is another shipment of the same fulfilment.
  leg           text        NOT NULL CONSTRAINT shipment_leg_known CHECK (leg IN ('outbound', 'return')),
  attempt       smallint    NOT NULL CONSTRAINT shipment_attempt_positive CHECK (attempt > 0),
  service       text        NOT NULL CONSTRAINT shipment_service_known CHECK (service IN ('standard', 'express', 'overnight')),
  awb           text        NOT NULL CONSTRAINT shipment_awb_unique UNIQUE,
  pickup_from   timestamptz,
  pickup_until  timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  -- Booking twice is booking once.
  CONSTRAINT shipment_once_per_attempt UNIQUE (fulfilment_id, leg, attempt),
  CONSTRAINT shipment_window_forward CHECK (pickup_from < pickup_until)
);
CREATE INDEX shipment_order ON shipment (order_id);

CREATE TABLE piece (
  id           uuid     PRIMARY KEY,
  shipment_id  uuid     NOT NULL CONSTRAINT piece_shipment_fk REFERENCES shipment (id),
  package_id   uuid     NOT NULL CONSTRAINT piece_package_fk REFERENCES package (id),
  n            smallint NOT NULL,
  of           smallint NOT NULL,
  -- What the label's barcode says: the AWB and the number of the piece.
  label_no     text     NOT NULL CONSTRAINT piece_label_no_unique UNIQUE,
  weight_g     integer  NOT NULL CONSTRAINT piece_weight_not_negative CHECK (weight_g >= 0),
  CONSTRAINT piece_n_of_m CHECK (n BETWEEN 1 AND of),
  CONSTRAINT piece_number_unique UNIQUE (shipment_id, n)
);
CREATE INDEX piece_package ON piece (package_id);

CREATE SEQUENCE manifest_number;

-- A list of pieces given to one courier at one place, and his word for how many he took (P13).
CREATE TABLE manifest (
  id            uuid        PRIMARY KEY,
  number        text        NOT NULL CONSTRAINT manifest_number_unique UNIQUE
                            DEFAULT 'MF-' || lpad(nextval('manifest_number')::text, 6, '0'),
  carrier_id    uuid        NOT NULL CONSTRAINT manifest_carrier_fk REFERENCES carrier (id),
  location_id   uuid        NOT NULL CONSTRAINT manifest_location_fk REFERENCES location (id),
  courier_id    uuid        NOT NULL CONSTRAINT manifest_courier_fk REFERENCES person (id),
  created_by    uuid        CONSTRAINT manifest_created_by_fk REFERENCES person (id),
  created_at    timestamptz NOT NULL,
  -- The device's event id: confirming twice is confirming once.
  confirm_event_id uuid     CONSTRAINT manifest_confirm_event_unique UNIQUE,
  confirmed_by  uuid        CONSTRAINT manifest_confirmed_by_fk REFERENCES person (id),
  captured_at   timestamptz,
  confirmed_at  timestamptz,
  counted       smallint    CONSTRAINT manifest_counted_not_negative CHECK (counted >= 0),
  CONSTRAINT manifest_confirmed_whole
    CHECK (num_nulls(confirm_event_id, confirmed_by, captured_at, confirmed_at, counted) IN (0, 5))
);
CREATE INDEX manifest_courier_open ON manifest (courier_id) WHERE confirmed_at IS NULL;

CREATE TABLE manifest_piece (
  manifest_id  uuid NOT NULL CONSTRAINT manifest_piece_manifest_fk REFERENCES manifest (id),
  -- A piece is given away once.
  piece_id     uuid NOT NULL CONSTRAINT manifest_piece_piece_fk REFERENCES piece (id)
                    CONSTRAINT manifest_piece_once UNIQUE,
  CONSTRAINT manifest_piece_pk PRIMARY KEY (manifest_id, piece_id)
);

-- A scan is a fact about a label, not a move. It has no foreign keys on purpose: the row is kept
-- even when its label is not known yet, and the hottest insert of the system pays for no lookups.
CREATE TABLE scan (
  scan_uid     uuid        CONSTRAINT scan_pk PRIMARY KEY,
  label_no     text        NOT NULL,
  kind         text        NOT NULL CONSTRAINT scan_kind_known
                           CHECK (kind IN ('pickup', 'departure', 'hub_in', 'hub_out', 'load', 'transfer', 'handover', 'custody')),
  person_id    uuid        NOT NULL,
  role         text        NOT NULL,
  device_id    uuid,
  location_id  uuid,
  lat          double precision,
  lng          double precision,
  accuracy_m   real,
  captured_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  -- What the step that the scan completes is recorded under (IO4).
  request_id   text        NOT NULL
);
CREATE INDEX scan_label ON scan (label_no, kind);
SELECT make_append_only('scan');

-- What a carrier said about an AWB, whether or not it moved anything.
CREATE TABLE carrier_event (
  id           uuid        PRIMARY KEY,
  source       text        NOT NULL,
  source_id    text        NOT NULL,
  order_id     uuid        NOT NULL CONSTRAINT carrier_event_order_fk REFERENCES customer_order (id),
  shipment_id  uuid        NOT NULL CONSTRAINT carrier_event_shipment_fk REFERENCES shipment (id),
  awb          text        NOT NULL,
  -- Empty where the carrier's status moves no stage of ours.
  stage        smallint,
  status       text        NOT NULL,
  place        text        NOT NULL,
  remark       text        NOT NULL,
  happened_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT carrier_event_once UNIQUE (source, source_id)
);
CREATE INDEX carrier_event_shipment ON carrier_event (shipment_id);
SELECT make_append_only('carrier_event');

CREATE SEQUENCE delivery_run_number;

CREATE TABLE delivery_run (
  id               uuid        PRIMARY KEY,
  number           text        NOT NULL CONSTRAINT delivery_run_number_unique UNIQUE
                               DEFAULT 'RN-' || lpad(nextval('delivery_run_number')::text, 6, '0'),
  channel_id       uuid        NOT NULL CONSTRAINT delivery_run_channel_fk REFERENCES channel (id),
  person_id        uuid        NOT NULL CONSTRAINT delivery_run_person_fk REFERENCES person (id),
  vehicle          text        NOT NULL,
  planned_on       date        NOT NULL,
  state            text        NOT NULL DEFAULT 'planned' CONSTRAINT delivery_run_state_known
                               CHECK (state IN ('planned', 'accepted', 'finished', 'cancelled')),
  planned_by       uuid        CONSTRAINT delivery_run_planned_by_fk REFERENCES person (id),
  planned_at       timestamptz NOT NULL,
  -- The device's event id: a run is accepted once.
  accept_event_id  uuid        CONSTRAINT delivery_run_accept_event_unique UNIQUE,
  accepted_at      timestamptz,
  finished_at      timestamptz,
  CONSTRAINT delivery_run_accepted_whole CHECK (num_nulls(accept_event_id, accepted_at) IN (0, 2)),
  -- A run may be finished without having been accepted: the proofs of delivery say so themselves.
  CONSTRAINT delivery_run_state_agrees CHECK (state <> 'accepted' OR accepted_at IS NOT NULL)
);
CREATE INDEX delivery_run_person ON delivery_run (person_id, planned_on) WHERE state IN ('planned', 'accepted');

CREATE TABLE delivery_stop (
  id             uuid        PRIMARY KEY,
  run_id         uuid        NOT NULL CONSTRAINT delivery_stop_run_fk REFERENCES delivery_run (id),
  order_id       uuid        NOT NULL CONSTRAINT delivery_stop_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT delivery_stop_fulfilment_fk REFERENCES fulfilment (id),
  position       smallint    NOT NULL,
  state          text        NOT NULL DEFAULT 'open' CONSTRAINT delivery_stop_state_known
                             CHECK (state IN ('open', 'done', 'failed', 'removed')),
  closed_at      timestamptz,
  -- What was due at the door when its people were last told; before they take it over nobody was.
  told_due_minor bigint      CONSTRAINT delivery_stop_told_due_not_negative CHECK (told_due_minor >= 0),
  CONSTRAINT delivery_stop_position_unique UNIQUE (run_id, position),
  CONSTRAINT delivery_stop_closed_agrees CHECK ((state = 'open') = (closed_at IS NULL))
);
-- One active assignment per fulfilment (IO6).
CREATE UNIQUE INDEX delivery_stop_one_active ON delivery_stop (fulfilment_id) WHERE state = 'open';
CREATE INDEX delivery_stop_order ON delivery_stop (order_id);

-- An attempt that failed at the door. Its id is the event id of the device. Not append-only: words
-- and place may name people and must be erasable.
CREATE TABLE delivery_attempt (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT delivery_attempt_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT delivery_attempt_fulfilment_fk REFERENCES fulfilment (id),
  stop_id        uuid        NOT NULL CONSTRAINT delivery_attempt_stop_fk REFERENCES delivery_stop (id),
  attempt        smallint    NOT NULL,
  person_id      uuid        NOT NULL CONSTRAINT delivery_attempt_person_fk REFERENCES person (id),
  device_id      uuid,
  kind           text        NOT NULL CONSTRAINT delivery_attempt_kind_known CHECK (kind IN ('delivery_failed', 'wrong_goods')),
  reason         text        NOT NULL,
  words          text        NOT NULL,
  called         boolean     NOT NULL,
  dwell_seconds  integer     NOT NULL CONSTRAINT delivery_attempt_dwell_bounded CHECK (dwell_seconds BETWEEN 0 AND 86400),
  wished_on      date,
  photos         text[]      NOT NULL DEFAULT '{}',
  lat            double precision,
  lng            double precision,
  accuracy_m     real,
  verdict        text        NOT NULL,
  captured_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL
);
CREATE INDEX delivery_attempt_fulfilment ON delivery_attempt (fulfilment_id);

-- Which proofs a stop needs: the most specific row that fits the stop wins (SPEC F).
CREATE TABLE pod_recipe (
  id           uuid        PRIMARY KEY,
  channel_id   uuid        CONSTRAINT pod_recipe_channel_fk REFERENCES channel (id),
  product_id   uuid        CONSTRAINT pod_recipe_product_fk REFERENCES product (id),
  payment      text        CONSTRAINT pod_recipe_payment_known CHECK (payment IN ('prepaid', 'cod')),
  handed_to    text        CONSTRAINT pod_recipe_handed_to_known CHECK (handed_to IN ('customer', 'other')),
  proofs       text[]      NOT NULL CONSTRAINT pod_recipe_proofs_known
                           CHECK (proofs <@ ARRAY['scan', 'photo', 'code', 'signature', 'receiver', 'place', 'tender']),
  -- Names of the pictures wanted where `photo` is among the proofs.
  photo_slots  text[]      NOT NULL DEFAULT '{}',
  created_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT pod_recipe_scope_unique UNIQUE NULLS NOT DISTINCT (channel_id, product_id, payment, handed_to),
  -- At most three proofs for an ordinary stop; money at the door is beside them.
  CONSTRAINT pod_recipe_short CHECK (cardinality(array_remove(proofs, 'tender')) BETWEEN 1 AND 3),
  CONSTRAINT pod_recipe_slots_agree CHECK (('photo' = ANY (proofs)) = (cardinality(photo_slots) > 0))
);

-- The code the customer tells at the door: a new one per attempt, only its keyed hash is kept.
CREATE TABLE handover_code (
  fulfilment_id  uuid        NOT NULL CONSTRAINT handover_code_fulfilment_fk REFERENCES fulfilment (id),
  attempt        smallint    NOT NULL,
  order_id       uuid        NOT NULL CONSTRAINT handover_code_order_fk REFERENCES customer_order (id),
  code_hash      bytea       NOT NULL,
  failed_tries   smallint    NOT NULL DEFAULT 0 CONSTRAINT handover_code_tries_bounded CHECK (failed_tries BETWEEN 0 AND 5),
  issued_at      timestamptz NOT NULL,
  CONSTRAINT handover_code_pk PRIMARY KEY (fulfilment_id, attempt)
);

-- The proof of delivery. Its id is the event id of the device, so the same capture is one row.
-- Not append-only: it holds personal data that must be erasable; the journey's chain has its hashes.
CREATE TABLE pod (
  id                 uuid        PRIMARY KEY,
  order_id           uuid        NOT NULL CONSTRAINT pod_order_fk REFERENCES customer_order (id),
  fulfilment_id      uuid        NOT NULL CONSTRAINT pod_fulfilment_fk REFERENCES fulfilment (id),
  stop_id            uuid        NOT NULL CONSTRAINT pod_stop_fk REFERENCES delivery_stop (id),
  attempt            smallint    NOT NULL,
  person_id          uuid        NOT NULL CONSTRAINT pod_person_fk REFERENCES person (id),
  device_id          uuid,
  receiver_name      text        NOT NULL,
  receiver_relation  text        NOT NULL,
  -- True: right. False: wrong or never issued. Empty: this stop asks for no code and none was given.
  code_ok            boolean,
  scanned_labels     text[]      NOT NULL,
  lat                double precision,
  lng                double precision,
  accuracy_m         real,
  -- Pen strokes as [[[x, y, milliseconds], ...], ...] and the hash that the chain knows.
  signature          jsonb,
  signature_sha256   text,
  serials            text[]      NOT NULL DEFAULT '{}',
  -- [{fulfilment_line_id, quantity, serials, reason}]: what was not handed over.
  kept_back          jsonb       NOT NULL DEFAULT '[]',
  due_minor          bigint      NOT NULL CONSTRAINT pod_due_not_negative CHECK (due_minor >= 0),
  tendered_minor     bigint      NOT NULL CONSTRAINT pod_tendered_not_negative CHECK (tendered_minor >= 0),
  currency           text        NOT NULL,
  -- Proofs of the recipe that the capture did not bring.
  missing            text[]      NOT NULL,
  -- Why V4 must wait although the goods are handed over; empty when nothing speaks against it.
  hold_reason        text,
  verdict            text        NOT NULL CONSTRAINT pod_verdict_known
                                 CHECK (verdict IN ('applied', 'duplicate', 'held', 'review', 'rejected')),
  verdict_reason     text        NOT NULL,
  captured_at        timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL,
  -- Set once the bytes of every required picture were verified by the server (V4).
  bytes_verified_at  timestamptz,
  -- What the measured pictures, the place, the code and the signature say together (SPEC A9); empty
  -- until every picture that counts is here. `check_hold` keeps V4 like `hold_reason`.
  check_verdict      text        CONSTRAINT pod_check_verdict_known
                                 CHECK (check_verdict IN ('passed', 'look', 'failed')),
  check_reasons      text[]      NOT NULL DEFAULT '{}',
  check_hold         text,
  checked_at         timestamptz,
  -- How often the verdict was another one than before.
  checks             smallint    NOT NULL DEFAULT 0,
  -- A dispatcher's word, or a later proof that passed: neither holds V4 any more.
  hold_lifted_at     timestamptz,
  hold_lifted_reason text,
  CONSTRAINT pod_check_whole CHECK ((check_verdict IS NULL) = (checked_at IS NULL)),
  CONSTRAINT pod_check_hold_agrees CHECK (check_hold IS NULL OR check_verdict = 'failed'),
  CONSTRAINT pod_hold_lifted_whole CHECK (num_nulls(hold_lifted_at, hold_lifted_reason) IN (0, 2))
);
CREATE INDEX pod_fulfilment ON pod (fulfilment_id);
CREATE INDEX pod_order ON pod (order_id);

CREATE TABLE pod_photo (
  pod_id       uuid        NOT NULL CONSTRAINT pod_photo_pod_fk REFERENCES pod (id),
  slot         text        NOT NULL,
  sha256       text        NOT NULL CONSTRAINT pod_photo_sha256_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  required     boolean     NOT NULL,
  verified_at  timestamptz,
  CONSTRAINT pod_photo_pk PRIMARY KEY (pod_id, slot, sha256)
);
CREATE INDEX pod_photo_sha256 ON pod_photo (sha256);

-- Where a channel, or a stop of one kind, is judged by other thresholds than modules/tms/proofs.py
-- says; `source` tells what measurement the value comes from.
CREATE TABLE pod_threshold (
  id          uuid        PRIMARY KEY,
  name        text        NOT NULL,
  channel_id  uuid        CONSTRAINT pod_threshold_channel_fk REFERENCES channel (id),
  handed_to   text        CONSTRAINT pod_threshold_handed_to_known CHECK (handed_to IN ('customer', 'other')),
  value       double precision NOT NULL CONSTRAINT pod_threshold_not_negative CHECK (value >= 0),
  source      text        NOT NULL CONSTRAINT pod_threshold_source_named CHECK (source <> ''),
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT pod_threshold_scope_unique UNIQUE NULLS NOT DISTINCT (name, channel_id, handed_to)
);

-- Money taken at the door, tender by tender. It is paid only when counted at the desk (V1).
CREATE TABLE pod_tender (
  pod_id        uuid     NOT NULL CONSTRAINT pod_tender_pod_fk REFERENCES pod (id),
  n             smallint NOT NULL,
  method        text     NOT NULL CONSTRAINT pod_tender_method_known
                         CHECK (method IN ('cash', 'credit_card', 'debit_card', 'upi', 'payment_link')),
  amount_minor  bigint   NOT NULL CONSTRAINT pod_tender_amount_positive CHECK (amount_minor > 0),
  reference     text     NOT NULL,
  CONSTRAINT pod_tender_pk PRIMARY KEY (pod_id, n)
);
