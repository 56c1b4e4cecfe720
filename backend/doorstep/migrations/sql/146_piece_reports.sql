-- Boxes that somebody on the floor or on the road has found damaged, or does not find (SPEC J, detours).

-- Its id is the event id of the device. Not append-only: words and pictures may show people and must
-- be erasable. Labels have no foreign key on purpose: a label that nobody knows is kept as well.
CREATE TABLE piece_report (
  id           uuid        PRIMARY KEY,
  kind         text        NOT NULL CONSTRAINT piece_report_kind_known CHECK (kind IN ('damaged', 'missing')),
  labels       text[]      NOT NULL CONSTRAINT piece_report_labels_some CHECK (cardinality(labels) BETWEEN 1 AND 200),
  photos       text[]      NOT NULL,
  words        text        NOT NULL,
  person_id    uuid        NOT NULL CONSTRAINT piece_report_person_fk REFERENCES person (id),
  role         text        NOT NULL,
  source       text        NOT NULL,
  device_id    uuid,
  captured_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  request_id   text        NOT NULL
);
-- What a courier has reported is no longer expected of him.
CREATE INDEX piece_report_person ON piece_report (person_id, recorded_at);

-- What a report meant for each parcel it is about.
CREATE TABLE piece_report_parcel (
  report_id      uuid        NOT NULL CONSTRAINT piece_report_parcel_report_fk REFERENCES piece_report (id),
  order_id       uuid        NOT NULL CONSTRAINT piece_report_parcel_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT piece_report_parcel_fulfilment_fk REFERENCES fulfilment (id),
  -- The event of the detour that was opened by it, or that it was kept beside.
  event_id       uuid        NOT NULL CONSTRAINT piece_report_parcel_event_unique UNIQUE,
  -- asked: no detour, a desk was asked to look for it. Else what the journey said to the detour.
  verdict        text        NOT NULL,
  recorded_at    timestamptz NOT NULL,
  CONSTRAINT piece_report_parcel_pk PRIMARY KEY (report_id, fulfilment_id)
);
CREATE INDEX piece_report_parcel_fulfilment ON piece_report_parcel (fulfilment_id);

-- What a courier has fetched of late, to read what is in his hands.
CREATE INDEX manifest_courier_fetched ON manifest (courier_id, confirmed_at) WHERE confirmed_at IS NOT NULL;
