-- Where people on the road were while they worked, and who looked. Kept for 60 days (IA7).
CREATE TABLE place_fix (
  person_id   uuid NOT NULL CONSTRAINT place_fix_of_person REFERENCES person (id),
  -- Made by the phone: a fix that comes again is the same one. Another person's ids are no matter.
  id          uuid NOT NULL,
  device_id   uuid NOT NULL CONSTRAINT place_fix_of_device REFERENCES device (id),
  -- The phone's time as far as it is possible: never outside of what the server knows (IC6).
  at          timestamptz NOT NULL,
  lat         double precision NOT NULL CONSTRAINT place_fix_lat CHECK (lat BETWEEN -90 AND 90),
  lng         double precision NOT NULL CONSTRAINT place_fix_lng CHECK (lng BETWEEN -180 AND 180),
  accuracy_m  real NOT NULL CONSTRAINT place_fix_accuracy CHECK (accuracy_m >= 0),
  speed_mps   real CONSTRAINT place_fix_speed CHECK (speed_mps >= 0),
  battery     text CONSTRAINT place_fix_battery CHECK (battery IN ('low', 'middle', 'high')),
  -- The work that it belongs to; without any nothing is stored.
  duty        text NOT NULL CONSTRAINT place_fix_duty CHECK (duty IN ('shift', 'run', 'visit')),
  duty_id     uuid NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT place_fix_pkey PRIMARY KEY (person_id, id)
);
CREATE INDEX place_fix_track ON place_fix (person_id, at);
CREATE INDEX place_fix_by_age ON place_fix (at);

-- What was recorded in each hour of the person's clock, so that nobody counts fixes at every pull.
CREATE TABLE place_hour (
  person_id uuid NOT NULL CONSTRAINT place_hour_of_person REFERENCES person (id),
  hour      timestamptz NOT NULL,
  fixes     integer NOT NULL CONSTRAINT place_hour_fixes CHECK (fixes > 0),
  first_at  timestamptz NOT NULL,
  last_at   timestamptz NOT NULL,
  south     double precision NOT NULL,
  west      double precision NOT NULL,
  north     double precision NOT NULL,
  east      double precision NOT NULL,
  CONSTRAINT place_hour_pkey PRIMARY KEY (person_id, hour)
);
CREATE INDEX place_hour_by_age ON place_hour (hour);

-- Each look at where somebody was. It holds no place itself and stays when the places are gone.
CREATE TABLE place_look (
  id          uuid CONSTRAINT place_look_pkey PRIMARY KEY,
  person_id   uuid NOT NULL CONSTRAINT place_look_at_person REFERENCES person (id),
  looker_id   uuid NOT NULL CONSTRAINT place_look_by_person REFERENCES person (id),
  looker_role text NOT NULL,
  from_at     timestamptz NOT NULL,
  until_at    timestamptz NOT NULL,
  reason      text NOT NULL CONSTRAINT place_look_reason_given CHECK (btrim(reason) <> ''),
  at          timestamptz NOT NULL,
  request_id  text NOT NULL
);
CREATE INDEX place_look_of_person ON place_look (person_id, at);
SELECT make_append_only('place_look');

-- What somebody had taken over or begun, when it is asked for by the time of a fix.
CREATE INDEX delivery_run_taken_over ON delivery_run (person_id, accepted_at)
  WHERE shift_id IS NULL AND accepted_at IS NOT NULL;
CREATE INDEX visit_begun ON visit (technician_id, started_at) WHERE started_at IS NOT NULL;
