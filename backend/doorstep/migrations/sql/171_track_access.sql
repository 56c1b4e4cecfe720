-- What a customer's link opens beyond what everybody with the link may see: after a code that went to
-- the order's phone (reliability §5.4, level 1). Codes and sessions are kept as hashes only.

CREATE TABLE link_code (
  order_id      uuid        NOT NULL CONSTRAINT link_code_order_fk REFERENCES customer_order (id),
  -- The how many-th code of the order: each is told in a message of its own.
  n             smallint    NOT NULL CONSTRAINT link_code_n_positive CHECK (n > 0),
  token_hash    bytea       NOT NULL CONSTRAINT link_code_link_fk REFERENCES order_link (token_hash),
  -- Keyed: six digits alone are guessed from a plain hash in a moment.
  code_hash     bytea       NOT NULL CONSTRAINT link_code_hmac CHECK (octet_length(code_hash) = 32),
  failed_tries  smallint    NOT NULL DEFAULT 0 CONSTRAINT link_code_tries_bounded CHECK (failed_tries BETWEEN 0 AND 5),
  issued_at     timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  used_at       timestamptz,
  CONSTRAINT link_code_pk PRIMARY KEY (order_id, n),
  CONSTRAINT link_code_forward CHECK (issued_at < expires_at)
);
CREATE INDEX link_code_link ON link_code (token_hash, n DESC);

CREATE TABLE link_session (
  session_hash  bytea       NOT NULL CONSTRAINT link_session_pk PRIMARY KEY
                            CONSTRAINT link_session_sha256 CHECK (octet_length(session_hash) = 32),
  token_hash    bytea       NOT NULL CONSTRAINT link_session_link_fk REFERENCES order_link (token_hash),
  order_id      uuid        NOT NULL,
  n             smallint    NOT NULL,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  -- One code opens one session, however often and at how many places it is typed at once.
  CONSTRAINT link_session_code_fk FOREIGN KEY (order_id, n) REFERENCES link_code (order_id, n),
  CONSTRAINT link_session_once UNIQUE (order_id, n),
  CONSTRAINT link_session_forward CHECK (created_at < expires_at)
);
CREATE INDEX link_session_link ON link_session (token_hash);

-- How often the customer has had the code of an attempt sent once more.
ALTER TABLE handover_code
  ADD COLUMN sent_again smallint NOT NULL DEFAULT 0
    CONSTRAINT handover_code_sent_again_bounded CHECK (sent_again BETWEEN 0 AND 3);
