-- What a customer claims under a warranty. It waits by its ticket, which carries words and photos and tells
-- whether the claim is open still; the visits that answer it name it.

CREATE TABLE warranty_claim (
  -- The ticket, and the event id of the customer's form: sent twice it is one claim.
  id             uuid        NOT NULL CONSTRAINT warranty_claim_ticket_fk REFERENCES ticket (id),
  warranty_id    uuid        NOT NULL CONSTRAINT warranty_claim_warranty_fk REFERENCES warranty (id),
  order_id       uuid        NOT NULL CONSTRAINT warranty_claim_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT warranty_claim_fulfilment_fk REFERENCES fulfilment (id),
  claimed_at     timestamptz NOT NULL,
  -- Who claims: the order's customer (0), or the new owner of that warranty_transfer.
  owner_n        smallint    NOT NULL CONSTRAINT warranty_claim_owner_not_negative CHECK (owner_n >= 0),
  CONSTRAINT warranty_claim_pk PRIMARY KEY (id)
);
CREATE INDEX warranty_claim_warranty ON warranty_claim (warranty_id);
CREATE INDEX warranty_claim_order ON warranty_claim (order_id);
SELECT make_append_only('warranty_claim');

ALTER TABLE visit
  ADD CONSTRAINT visit_claim_fk FOREIGN KEY (claim_id) REFERENCES warranty_claim (id);
