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
  -- The link by which the new owner fetches his certificate; only its hash is kept.
  token_hash    bytea       CONSTRAINT warranty_transfer_sha256 CHECK (octet_length(token_hash) = 32)
                            CONSTRAINT warranty_transfer_token_unique UNIQUE,
  CONSTRAINT warranty_transfer_pk PRIMARY KEY (order_id, n),
  CONSTRAINT warranty_transfer_forward CHECK (asked_at < expires_at),
  CONSTRAINT warranty_transfer_link_is_of_an_owner CHECK (token_hash IS NULL OR confirmed_at IS NOT NULL)
);
CREATE INDEX warranty_transfer_warranty ON warranty_transfer (warranty_id);

-- Whose a warranty is: the order's customer (0), or the new owner of that transfer.
ALTER TABLE warranty ADD COLUMN owner_n smallint NOT NULL DEFAULT 0
  CONSTRAINT warranty_owner_not_negative CHECK (owner_n >= 0);
