-- When a delivery is promised: from and until, as a desk said, and each change of it with its reason.
-- The newest holds; one without times takes the promise back. It is the parcel's, whoever drives it.
CREATE TABLE delivery_window (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT delivery_window_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT delivery_window_fulfilment_fk REFERENCES fulfilment (id),
  -- The how many-th promise of the parcel: the clocks of two servers do not decide which is the newest.
  n              integer     NOT NULL CONSTRAINT delivery_window_n_positive CHECK (n > 0),
  from_at        timestamptz,
  until_at       timestamptz,
  reason         text        NOT NULL,
  set_by         uuid        CONSTRAINT delivery_window_set_by_fk REFERENCES person (id),
  set_at         timestamptz NOT NULL,
  CONSTRAINT delivery_window_both CHECK ((from_at IS NULL) = (until_at IS NULL)),
  CONSTRAINT delivery_window_forward CHECK (from_at < until_at),
  CONSTRAINT delivery_window_once UNIQUE (fulfilment_id, n)
);
CREATE INDEX delivery_window_order ON delivery_window (order_id);
SELECT make_append_only('delivery_window');
