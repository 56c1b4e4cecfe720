-- What people look like who come to a customer's door. The picture is a file; only a link of an order to
-- which its person is on the way opens it, and only after the code (reliability IA1).

CREATE TABLE person_portrait (
  person_id  uuid        NOT NULL CONSTRAINT person_portrait_pk PRIMARY KEY
                         CONSTRAINT person_portrait_of_person REFERENCES person (id),
  sha256     text        NOT NULL CONSTRAINT person_portrait_blob REFERENCES blob (sha256),
  set_at     timestamptz NOT NULL,
  set_by     uuid        CONSTRAINT person_portrait_set_by_person REFERENCES person (id)
);
-- Before a file is deleted it is asked whose portrait it is.
CREATE INDEX person_portrait_sha256 ON person_portrait (sha256);

-- Who has something to do at the order of the link: the run with one of its parcels is under way, or a
-- technician is to install it. It runs as the owner of the tables, since the link sees no people.
CREATE FUNCTION people_of_link() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.person_id FROM delivery_stop s JOIN delivery_run r ON r.id = s.run_id
   WHERE s.order_id = current_link_order() AND s.state = 'open' AND r.state = 'accepted'
  UNION
  SELECT v.technician_id FROM visit v
   WHERE v.order_id = current_link_order() AND v.purpose = 'installation'
     AND v.state IN ('booked', 'started')
$$;

ALTER TABLE person_portrait ENABLE ROW LEVEL SECURITY;
CREATE POLICY person_portrait_of_link ON person_portrait FOR SELECT TO doorstep_customer
  USING ((SELECT link_signed_in()) AND person_id IN (SELECT people_of_link()));
GRANT SELECT (person_id, sha256) ON person_portrait TO doorstep_customer;
