-- A warranty goes to a new owner: he confirms with a code that was sent to his phone. Every row stays, so
-- that it can be told who had the warranty when.

CREATE TABLE warranty_transfer (
  order_id      uuid        NOT NULL CONSTRAINT warranty_transfer_order_fk REFERENCES customer_order (id),
  -- The how many-th of the order: each is told in messages of its own.
  n             smallint    NOT NULL CONSTRAINT warranty_transfer_n_positive CHECK (n > 0),
  warranty_id   uuid        NOT NULL CONSTRAINT warranty_transfer_warranty_fk REFERENCES warranty (id),
  -- Name and phone are empty once they are forgotten.
  name          text        NOT NULL CONSTRAINT warranty_transfer_name_length CHECK (length(name) <= 120),
  phone         text        NOT NULL CONSTRAINT warranty_transfer_phone_e164 CHECK (phone ~ '^(\+[1-9][0-9]{6,14})?$'),
  code_hash     bytea       NOT NULL CONSTRAINT warranty_transfer_hmac CHECK (octet_length(code_hash) = 32),
  failed_tries  smallint    NOT NULL DEFAULT 0
                            CONSTRAINT warranty_transfer_tries_bounded CHECK (failed_tries BETWEEN 0 AND 5),
  asked_at      timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  confirmed_at  timestamptz,
  CONSTRAINT warranty_transfer_pk PRIMARY KEY (order_id, n),
  CONSTRAINT warranty_transfer_forward CHECK (asked_at < expires_at)
);
CREATE INDEX warranty_transfer_warranty ON warranty_transfer (warranty_id);

-- Whose a warranty is: the order's customer (0), or the new owner of that transfer.
ALTER TABLE warranty ADD COLUMN owner_n smallint NOT NULL DEFAULT 0
  CONSTRAINT warranty_owner_not_negative CHECK (owner_n >= 0);

-- Where the goods are that a new owner claims for: not where they were delivered.
CREATE TABLE warranty_claim_place (
  claim_id  uuid NOT NULL CONSTRAINT warranty_claim_place_pk PRIMARY KEY
                 CONSTRAINT warranty_claim_place_claim_fk REFERENCES warranty_claim (id),
  order_id  uuid NOT NULL CONSTRAINT warranty_claim_place_order_fk REFERENCES customer_order (id),
  -- Empty once it is forgotten.
  place     text NOT NULL CONSTRAINT warranty_claim_place_length CHECK (length(place) <= 300)
);
CREATE INDEX warranty_claim_place_order ON warranty_claim_place (order_id);
