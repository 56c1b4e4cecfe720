-- What customers pay for the extras of a visit: at the visit, or later by a bill.

INSERT INTO ledger_account (code, name, type) VALUES
  ('customer_receivable', 'Extras that customers have agreed to and not yet paid', 'asset'),
  ('terminal_clearing', 'Card and UPI payments taken at visits, not yet in the bank', 'asset'),
  ('extras_sales', 'Extras sold at visits', 'income'),
  ('sales_tax', 'Tax on extras, owed to the state', 'liability');

-- What was done about the money of a visit's extras: paid, paid in part, or to be billed. Its id is the
-- event id of the device or desk. The money is the visit's: whatever is agreed there, less what was paid, is open.
CREATE TABLE extra_receipt (
  id                 uuid        PRIMARY KEY,
  -- As the phone has shown it to the customer: the order's number and the end of the event id.
  number             text        NOT NULL,
  order_id           uuid        NOT NULL CONSTRAINT extra_receipt_order_fk REFERENCES customer_order (id),
  fulfilment_id      uuid        NOT NULL CONSTRAINT extra_receipt_fulfilment_fk REFERENCES fulfilment (id),
  visit_id           uuid        NOT NULL CONSTRAINT extra_receipt_visit_fk REFERENCES visit (id),
  -- Who took the money: the technician, or a person at a desk when the bill was paid.
  person_id          uuid        NOT NULL CONSTRAINT extra_receipt_person_fk REFERENCES person (id),
  device_id          uuid,
  -- In whose count its cash is, where the technician was on one.
  shift_id           uuid        CONSTRAINT extra_receipt_shift_fk REFERENCES shift (id),
  currency           text        NOT NULL,
  -- The extras of the visit as they were known, what they cost together, and what was paid before.
  extra_ids          uuid[]      NOT NULL,
  billed_minor       bigint      NOT NULL CONSTRAINT extra_receipt_billed_not_negative CHECK (billed_minor >= 0),
  paid_before_minor  bigint      NOT NULL CONSTRAINT extra_receipt_before_not_negative CHECK (paid_before_minor >= 0),
  -- The sum of its tenders.
  paid_minor         bigint      NOT NULL CONSTRAINT extra_receipt_paid_not_negative CHECK (paid_minor >= 0),
  -- What stood on the screen as open.
  shown_minor        bigint      NOT NULL CONSTRAINT extra_receipt_shown_not_negative CHECK (shown_minor >= 0),
  -- The customer was told that the rest comes by a bill.
  bill_later         boolean     NOT NULL,
  -- What a person must look at, in words.
  disagreements      text[]      NOT NULL,
  captured_at        timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL
);
CREATE INDEX extra_receipt_visit ON extra_receipt (visit_id);
CREATE INDEX extra_receipt_order ON extra_receipt (order_id);
CREATE INDEX extra_receipt_person ON extra_receipt (person_id, recorded_at);
CREATE INDEX extra_receipt_shift ON extra_receipt (shift_id) WHERE shift_id IS NOT NULL;
SELECT make_append_only('extra_receipt');

CREATE TABLE extra_tender (
  receipt_id    uuid     NOT NULL CONSTRAINT extra_tender_receipt_fk REFERENCES extra_receipt (id),
  n             smallint NOT NULL,
  method        text     NOT NULL CONSTRAINT extra_tender_method_known
                         CHECK (method IN ('cash', 'credit_card', 'debit_card', 'upi', 'desk_cash', 'bank_transfer')),
  amount_minor  bigint   NOT NULL CONSTRAINT extra_tender_amount_positive CHECK (amount_minor > 0),
  reference     text     NOT NULL,
  CONSTRAINT extra_tender_pk PRIMARY KEY (receipt_id, n)
);
SELECT make_append_only('extra_tender');

-- IM9: the cash of a visit is in exactly one count, beside that of the doors (`cash_count_line`).
CREATE TABLE cash_count_extra (
  cash_count_id  uuid     NOT NULL CONSTRAINT cash_count_extra_count_fk REFERENCES cash_count (id),
  receipt_id     uuid     NOT NULL,
  tender_n       smallint NOT NULL,
  order_id       uuid     NOT NULL CONSTRAINT cash_count_extra_order_fk REFERENCES customer_order (id),
  amount_minor   bigint   NOT NULL,
  CONSTRAINT cash_count_extra_pk PRIMARY KEY (receipt_id, tender_n),
  CONSTRAINT cash_count_extra_tender_fk FOREIGN KEY (receipt_id, tender_n)
    REFERENCES extra_tender (receipt_id, n)
);
CREATE INDEX cash_count_extra_count ON cash_count_extra (cash_count_id);
SELECT make_append_only('cash_count_extra');
