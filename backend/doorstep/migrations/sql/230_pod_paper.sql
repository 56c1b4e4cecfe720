-- A customer who has signed in may have the proof of what was handed over as a paper. The page finds it
-- under its own role, which sees that there is a proof, and nothing that stands in it.
ALTER TABLE pod ENABLE ROW LEVEL SECURITY;
CREATE POLICY pod_of_link ON pod FOR SELECT TO doorstep_customer
  USING (order_id = (SELECT current_link_order()) AND (SELECT link_signed_in()));
GRANT SELECT (id, order_id, fulfilment_id, verdict, recorded_at) ON pod TO doorstep_customer;
