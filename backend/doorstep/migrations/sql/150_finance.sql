-- finance: customers' payments, the ledger, the tranches and payouts of vendors, counted cash.

-- --- The ledger -------------------------------------------------------------------------------
CREATE TABLE ledger_account (
  code text NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  CONSTRAINT ledger_account_pkey PRIMARY KEY (code),
  CONSTRAINT ledger_account_type_known
    CHECK (type IN ('asset', 'liability', 'equity', 'income', 'expense'))
);
INSERT INTO ledger_account (code, name, type) VALUES
  ('bank', 'Bank', 'asset'),
  ('gateway_clearing', 'Captured by the payment gateway, not yet in the bank', 'asset'),
  ('courier_cash', 'Cash that couriers carry', 'asset'),
  ('cash_desk', 'Cash counted at the desk', 'asset'),
  ('vendor_advance', 'Paid or owed to vendors before the customer has the goods', 'asset'),
  ('customer_deposit', 'Paid by customers, owed to them as goods', 'liability'),
  ('vendor_payable', 'Released to vendors, not yet paid by the bank', 'liability'),
  ('cost_of_goods', 'Goods of vendors that customers have received', 'expense'),
  ('cash_difference', 'Cash counted over or short', 'expense');

CREATE TABLE journal_entry (
  id uuid NOT NULL,
  -- What was posted, by name ("release:<tranche>"): the second posting of the same thing is none.
  key text NOT NULL,
  memo text NOT NULL,
  order_id uuid,
  po_id uuid,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT journal_entry_pkey PRIMARY KEY (id),
  CONSTRAINT journal_entry_key_key UNIQUE (key),
  CONSTRAINT journal_entry_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  CONSTRAINT journal_entry_po_fk FOREIGN KEY (po_id) REFERENCES purchase_order (id)
);
CREATE INDEX journal_entry_order_idx ON journal_entry (order_id);
CREATE INDEX journal_entry_po_idx ON journal_entry (po_id) WHERE po_id IS NOT NULL;

CREATE TABLE journal_line (
  entry_id uuid NOT NULL,
  position smallint NOT NULL,
  account text NOT NULL,
  currency text NOT NULL,
  debit_minor bigint NOT NULL,
  credit_minor bigint NOT NULL,
  CONSTRAINT journal_line_pkey PRIMARY KEY (entry_id, position),
  CONSTRAINT journal_line_entry_fk FOREIGN KEY (entry_id) REFERENCES journal_entry (id),
  CONSTRAINT journal_line_account_fk FOREIGN KEY (account) REFERENCES ledger_account (code),
  CONSTRAINT journal_line_currency_iso CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT journal_line_one_side CHECK (
    debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0) <> (credit_minor = 0))
);
CREATE INDEX journal_line_account_idx ON journal_line (account, currency);
SELECT make_append_only('journal_entry');
SELECT make_append_only('journal_line');

-- IM4: debit = credit per entry and currency, and no entry without lines, at every commit.
CREATE FUNCTION journal_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  checked uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  IF NOT EXISTS (SELECT FROM journal_line WHERE entry_id = checked)
     OR EXISTS (SELECT FROM journal_line WHERE entry_id = checked
                 GROUP BY currency HAVING sum(debit_minor) <> sum(credit_minor)) THEN
    RAISE EXCEPTION 'journal entry % does not balance', checked USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entry_balances AFTER INSERT ON journal_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_check_balance('id');
CREATE CONSTRAINT TRIGGER journal_line_balances AFTER INSERT ON journal_line
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_check_balance('entry_id');

-- The only way into the ledger: a set of entries, those whose key is known are skipped.
-- [{"key", "memo", "order_id", "po_id", "occurred_at",
--   "lines": [{"account", "currency", "debit_minor", "credit_minor"}]}] → entries written.
CREATE FUNCTION ledger_post(p_entries jsonb) RETURNS int LANGUAGE sql VOLATILE AS $$
  WITH given AS (
    SELECT new_id() AS id, e AS entry FROM jsonb_array_elements(p_entries) AS e
  ), written AS (
    INSERT INTO journal_entry (id, key, memo, order_id, po_id, occurred_at)
    SELECT id, entry->>'key', entry->>'memo', (entry->>'order_id')::uuid, (entry->>'po_id')::uuid,
           (entry->>'occurred_at')::timestamptz
      FROM given
    ON CONFLICT (key) DO NOTHING
    RETURNING id
  ), lines AS (
    INSERT INTO journal_line (entry_id, position, account, currency, debit_minor, credit_minor)
    SELECT g.id, l.position, l.line->>'account', l.line->>'currency',
           (l.line->>'debit_minor')::bigint, (l.line->>'credit_minor')::bigint
      FROM given g JOIN written USING (id),
           jsonb_array_elements(g.entry->'lines') WITH ORDINALITY AS l (line, position)
  )
  SELECT count(*)::int FROM written
$$;

-- --- What customers pay -----------------------------------------------------------------------
-- Every word about money of a customer: the gateway's events, the shop's own record (provider
-- 'shop'), cash counted or given back at the desk ('cash'), bank transfers of ours ('bank'). payment_line.captured_minor is the fold of these.
CREATE TABLE payment_event (
  id uuid NOT NULL,
  provider text NOT NULL,
  action_id text NOT NULL,
  payment_id text NOT NULL,
  type text NOT NULL,
  order_id uuid NOT NULL,
  payment_line_id uuid NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  happened_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT payment_event_pkey PRIMARY KEY (id),
  -- Money is applied once per action of the provider, however many events tell of it. Where a
  -- provider names no action the payment stands for it, which is authorised and captured once each.
  CONSTRAINT payment_event_action_key UNIQUE (provider, action_id, type),
  CONSTRAINT payment_event_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  CONSTRAINT payment_event_line_fk FOREIGN KEY (payment_line_id) REFERENCES payment_line (id),
  CONSTRAINT payment_event_type_known
    CHECK (type IN ('authorised', 'captured', 'failed', 'refunded', 'hold')),
  CONSTRAINT payment_event_amount_range CHECK (amount_minor BETWEEN 0 AND 100000000000000)
);
CREATE INDEX payment_event_order_idx ON payment_event (order_id);
CREATE INDEX payment_event_line_idx ON payment_event (payment_line_id);
SELECT make_append_only('payment_event');

-- Money that a desk gave back outside the gateway. Its payment events (provider 'cash' or 'bank')
-- name it; here stands who has paid how much, by which receipt or transfer.
CREATE TABLE desk_refund (
  id uuid NOT NULL,                       -- the event id of the screen
  order_id uuid NOT NULL,
  method text NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  reference text NOT NULL,
  recorded_by uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT desk_refund_pkey PRIMARY KEY (id),
  CONSTRAINT desk_refund_reference_key UNIQUE (order_id, method, reference),
  CONSTRAINT desk_refund_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  CONSTRAINT desk_refund_method_known CHECK (method IN ('cash', 'bank_transfer')),
  CONSTRAINT desk_refund_amount_range CHECK (amount_minor BETWEEN 1 AND 100000000000000)
);
SELECT make_append_only('desk_refund');

-- --- Approvals (SPEC P5, P8) ------------------------------------------------------------------
-- What a channel lets pass by itself. A change is a new version: an old decision stays explainable.
CREATE TABLE approval_policy (
  channel_id uuid NOT NULL,
  version int NOT NULL,
  event_id uuid NOT NULL,
  rules jsonb NOT NULL,
  reason text NOT NULL,
  set_by uuid,                            -- null: the default, kept when it was first used
  set_at timestamptz NOT NULL,
  CONSTRAINT approval_policy_pkey PRIMARY KEY (channel_id, version),
  CONSTRAINT approval_policy_event_key UNIQUE (event_id),
  CONSTRAINT approval_policy_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id),
  CONSTRAINT approval_policy_version_positive CHECK (version > 0)
);
SELECT make_append_only('approval_policy');

-- Each judgement of an order's reservation or payment: why, by which policy, on which facts. What
-- the policy lets wait is a row of its own; a person's word, or newer facts, decide beside it.
CREATE TABLE approval (
  id uuid NOT NULL,                       -- a person's: the event id of the screen
  order_id uuid NOT NULL,
  kind text NOT NULL,
  verdict text NOT NULL,
  decided text NOT NULL,
  reasons text[] NOT NULL,
  channel_id uuid NOT NULL,
  policy_version int NOT NULL,
  facts jsonb NOT NULL,
  decided_by uuid,
  decided_role text NOT NULL,
  decided_at timestamptz NOT NULL,
  CONSTRAINT approval_pkey PRIMARY KEY (id),
  CONSTRAINT approval_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  CONSTRAINT approval_policy_fk FOREIGN KEY (channel_id, policy_version)
    REFERENCES approval_policy (channel_id, version),
  CONSTRAINT approval_kind_known CHECK (kind IN ('reservation', 'payment')),
  CONSTRAINT approval_verdict_known CHECK (verdict IN ('approved', 'waiting', 'rejected')),
  CONSTRAINT approval_decided_known CHECK (decided IN ('automatic', 'person')),
  CONSTRAINT approval_names_its_person CHECK ((decided = 'person') = (decided_by IS NOT NULL)),
  CONSTRAINT approval_only_people_reject CHECK (verdict <> 'rejected' OR decided = 'person'),
  CONSTRAINT approval_only_the_policy_waits CHECK (verdict <> 'waiting' OR decided = 'automatic'),
  CONSTRAINT approval_is_never_silent CHECK (cardinality(reasons) > 0)
);
-- Of two approvers at once one wins; what waits waits once.
CREATE UNIQUE INDEX approval_decided_once ON approval (order_id, kind) WHERE verdict <> 'waiting';
CREATE UNIQUE INDEX approval_waits_once ON approval (order_id, kind) WHERE verdict = 'waiting';
CREATE INDEX approval_order_idx ON approval (order_id);
CREATE INDEX approval_waiting_idx ON approval (decided_at) WHERE verdict = 'waiting';
SELECT make_append_only('approval');

-- --- What vendors are paid --------------------------------------------------------------------
CREATE TABLE tranche (
  id uuid NOT NULL,
  po_id uuid NOT NULL,
  vendor_id uuid NOT NULL,
  number smallint NOT NULL,
  percent smallint NOT NULL,
  -- What is paid of it. With what is withheld, for goods that did not stay, it is its share.
  amount_minor bigint NOT NULL,
  withheld_minor bigint NOT NULL DEFAULT 0,
  currency text NOT NULL,
  state text NOT NULL DEFAULT 'waiting',
  -- Why it stands where it stands, in words a person reads.
  reason text NOT NULL,
  eligible_at timestamptz,
  released_at timestamptz,
  -- Released before the customer had the goods: an advance in the books until then.
  is_advance boolean NOT NULL DEFAULT false,
  -- {fulfilment id: head_seq}: the events the release was decided on, to replay it (IM2).
  decided_on jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT tranche_pkey PRIMARY KEY (id),
  CONSTRAINT tranche_number_key UNIQUE (po_id, number),
  -- What payout points at: it pays this vendor this amount, or does not exist (IM5).
  CONSTRAINT tranche_amount_key UNIQUE (id, vendor_id, amount_minor, currency),
  CONSTRAINT tranche_po_fk FOREIGN KEY (po_id, vendor_id) REFERENCES purchase_order (id, vendor_id),
  CONSTRAINT tranche_number_range CHECK (number BETWEEN 1 AND 6),
  CONSTRAINT tranche_percent_range CHECK (percent BETWEEN 0 AND 100),
  CONSTRAINT tranche_amount_range CHECK (amount_minor BETWEEN 0 AND 100000000000000),
  CONSTRAINT tranche_withheld_range CHECK (withheld_minor BETWEEN 0 AND 100000000000000),
  CONSTRAINT tranche_withheld_at_release CHECK (withheld_minor = 0 OR state = 'released'),
  CONSTRAINT tranche_state_known CHECK (state IN ('waiting', 'eligible', 'released', 'held')),
  CONSTRAINT tranche_release_whole CHECK (
    (state = 'released') = (released_at IS NOT NULL) AND (released_at IS NULL) = (decided_on IS NULL))
);

-- IM3: the six parts are the purchase order, to the minor unit, at every commit.
CREATE FUNCTION tranche_check_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- A purchase order has no column po_id: NEW.po_id would not compile for its rows.
  checked uuid := coalesce((to_jsonb(NEW) ->> 'po_id')::uuid, (to_jsonb(OLD) ->> 'po_id')::uuid,
                           NEW.id);
  wrong text;
BEGIN
  SELECT format('%s is %s %s, its %s tranches are %s', p.number, p.total_minor, p.currency,
                count(t.id), coalesce(sum(t.amount_minor + t.withheld_minor), 0))
    INTO wrong
    FROM purchase_order p LEFT JOIN tranche t ON t.po_id = p.id AND t.currency = p.currency
   WHERE p.id = checked AND p.state <> 'draft'
   GROUP BY p.id
  HAVING count(t.id) <> 6 OR sum(t.amount_minor + t.withheld_minor) <> p.total_minor;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'purchase order %', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tranche_sum_is_total AFTER INSERT OR UPDATE OR DELETE ON tranche
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tranche_check_sum('po_id');
CREATE CONSTRAINT TRIGGER purchase_order_tranche_sum AFTER INSERT OR UPDATE ON purchase_order
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tranche_check_sum('id');

-- A release is final, and only an accepted purchase order has one (SPEC V, IM5).
CREATE FUNCTION tranche_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'released' THEN
    IF (NEW.state, NEW.amount_minor, NEW.withheld_minor, NEW.released_at, NEW.decided_on)
       IS DISTINCT FROM
       (OLD.state, OLD.amount_minor, OLD.withheld_minor, OLD.released_at, OLD.decided_on) THEN
      RAISE EXCEPTION 'tranche % is released', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF NEW.state = 'released' AND NOT EXISTS (
      SELECT FROM purchase_order p WHERE p.id = NEW.po_id AND p.state = 'accepted') THEN
    RAISE EXCEPTION 'tranche % belongs to no accepted purchase order', NEW.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tranche_release_guard BEFORE INSERT OR UPDATE ON tranche
  FOR EACH ROW EXECUTE FUNCTION tranche_guard();

-- A person's word that the tranches go on although a delivery of the purchase order has ended, or
-- goods came back. It is good for as many pieces as were gone then; when more are, it is asked anew.
CREATE TABLE purchase_order_rest (
  po_id uuid NOT NULL,
  pieces_gone int NOT NULL,
  event_id uuid NOT NULL,
  decided_by uuid,
  reason text NOT NULL,
  decided_at timestamptz NOT NULL,
  CONSTRAINT purchase_order_rest_pkey PRIMARY KEY (po_id, pieces_gone),
  CONSTRAINT purchase_order_rest_event_key UNIQUE (event_id),
  CONSTRAINT purchase_order_rest_po_fk FOREIGN KEY (po_id) REFERENCES purchase_order (id),
  CONSTRAINT purchase_order_rest_person_fk FOREIGN KEY (decided_by) REFERENCES person (id)
);
SELECT make_append_only('purchase_order_rest');

-- What is to be claimed back from a vendor: released to him for goods that did not stay. Each row is
-- what came on top of the rows before.
CREATE TABLE vendor_claim (
  id uuid NOT NULL,
  po_id uuid NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  claimed_at timestamptz NOT NULL,
  CONSTRAINT vendor_claim_pkey PRIMARY KEY (id),
  CONSTRAINT vendor_claim_po_fk FOREIGN KEY (po_id) REFERENCES purchase_order (id),
  CONSTRAINT vendor_claim_amount_range CHECK (amount_minor BETWEEN 1 AND 100000000000000)
);
CREATE INDEX vendor_claim_po_idx ON vendor_claim (po_id);
SELECT make_append_only('vendor_claim');

CREATE TABLE payout (
  id uuid NOT NULL,
  tranche_id uuid NOT NULL,
  po_id uuid NOT NULL,
  vendor_id uuid NOT NULL,
  attempt smallint NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  -- The idempotency key at the bank: made from tranche and attempt, never anew (IM6).
  key text NOT NULL,
  -- due: intent written. sending: the bank may have it. unknown: asked, no answer.
  state text NOT NULL DEFAULT 'due',
  beneficiary_name text NOT NULL,
  beneficiary_account text NOT NULL,
  beneficiary_bank_code text NOT NULL,
  bank_ref text NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '',
  ordered_by text NOT NULL,
  -- Not earlier than this: the account was changed a short while ago (IM8).
  not_before timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  sent_at timestamptz,
  answered_at timestamptz,
  CONSTRAINT payout_pkey PRIMARY KEY (id),
  CONSTRAINT payout_key_key UNIQUE (key),
  CONSTRAINT payout_attempt_key UNIQUE (tranche_id, attempt),
  CONSTRAINT payout_tranche_fk FOREIGN KEY (tranche_id, vendor_id, amount_minor, currency)
    REFERENCES tranche (id, vendor_id, amount_minor, currency),
  CONSTRAINT payout_po_fk FOREIGN KEY (po_id, vendor_id) REFERENCES purchase_order (id, vendor_id),
  CONSTRAINT payout_amount_positive CHECK (amount_minor > 0),
  CONSTRAINT payout_key_fits_bank CHECK (key ~ '^[A-Za-z0-9_ -]{4,36}$'),
  CONSTRAINT payout_state_known
    CHECK (state IN ('due', 'sending', 'unknown', 'paid', 'failed', 'reversed')),
  CONSTRAINT payout_sent_once_out CHECK (state = 'due' OR sent_at IS NOT NULL)
);
-- IM1: a tranche has at most one payout that has paid or still may.
CREATE UNIQUE INDEX payout_one_live ON payout (tranche_id)
  WHERE state IN ('due', 'sending', 'unknown', 'paid');
CREATE INDEX payout_po_idx ON payout (po_id);
CREATE INDEX payout_bank_ref_idx ON payout (bank_ref) WHERE bank_ref <> '';

CREATE FUNCTION payout_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT FROM tranche t WHERE t.id = NEW.tranche_id AND t.state = 'released') THEN
      RAISE EXCEPTION 'tranche % is not released', NEW.tranche_id USING ERRCODE = 'check_violation';
    END IF;
  ELSIF (NEW.tranche_id, NEW.attempt, NEW.amount_minor, NEW.currency, NEW.key,
         NEW.beneficiary_name, NEW.beneficiary_account, NEW.beneficiary_bank_code)
     IS DISTINCT FROM (OLD.tranche_id, OLD.attempt, OLD.amount_minor, OLD.currency, OLD.key,
         OLD.beneficiary_name, OLD.beneficiary_account, OLD.beneficiary_bank_code) THEN
    -- The same key with another content would be another payment.
    RAISE EXCEPTION 'the intent of payout % is fixed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payout_intent_guard BEFORE INSERT OR UPDATE ON payout
  FOR EACH ROW EXECUTE FUNCTION payout_guard();

-- What the bank said of a payout, from its answer, an enquiry or a webhook, once each.
CREATE TABLE payout_event (
  id uuid NOT NULL,
  payout_id uuid NOT NULL,
  state text NOT NULL,
  raw_status text NOT NULL,
  bank_ref text NOT NULL,
  reason text NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT payout_event_pkey PRIMARY KEY (id),
  CONSTRAINT payout_event_said_once UNIQUE (payout_id, state, raw_status, bank_ref),
  CONSTRAINT payout_event_payout_fk FOREIGN KEY (payout_id) REFERENCES payout (id)
);
SELECT make_append_only('payout_event');

-- --- Cash from the door -----------------------------------------------------------------------
CREATE TABLE cash_count (
  id uuid NOT NULL,
  run_id uuid,
  shift_id uuid,
  currency text NOT NULL,
  expected_minor bigint NOT NULL,
  counted_minor bigint NOT NULL,
  note text NOT NULL,
  counted_by uuid NOT NULL,
  counted_at timestamptz NOT NULL,
  CONSTRAINT cash_count_pkey PRIMARY KEY (id),
  CONSTRAINT cash_count_amounts_range CHECK (
    expected_minor > 0 AND counted_minor BETWEEN 0 AND 100000000000000)
);

CREATE TABLE cash_count_line (
  cash_count_id uuid NOT NULL,
  pod_id uuid NOT NULL,
  tender_n smallint NOT NULL,
  order_id uuid NOT NULL,
  amount_minor bigint NOT NULL,
  -- IM9: the cash of one stop is in exactly one count.
  CONSTRAINT cash_count_line_pkey PRIMARY KEY (pod_id, tender_n),
  CONSTRAINT cash_count_line_count_fk FOREIGN KEY (cash_count_id) REFERENCES cash_count (id),
  CONSTRAINT cash_count_line_tender_fk FOREIGN KEY (pod_id, tender_n) REFERENCES pod_tender (pod_id, n),
  CONSTRAINT cash_count_line_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id)
);
CREATE INDEX cash_count_line_count_idx ON cash_count_line (cash_count_id);
SELECT make_append_only('cash_count');
SELECT make_append_only('cash_count_line');

-- --- What a vendor may read of it (see 130_scm.sql) ---------------------------------------------
ALTER TABLE tranche ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout ENABLE ROW LEVEL SECURITY;
CREATE POLICY tranche_own ON tranche FOR SELECT TO doorstep_vendor
  USING (vendor_id = (SELECT current_vendor_id()));
CREATE POLICY payout_own ON payout FOR SELECT TO doorstep_vendor
  USING (vendor_id = (SELECT current_vendor_id()));
GRANT SELECT ON tranche, payout TO doorstep_vendor;

-- --- How a gateway's event finds its payment line ------------------------------------------------
CREATE INDEX payment_line_reference_idx ON payment_line (reference) WHERE reference <> '';
CREATE INDEX payment_line_provider_ref_idx ON payment_line (provider_ref) WHERE provider_ref <> '';
