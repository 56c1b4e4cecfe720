-- The customer's page says what was reported of the delivery that failed last, and what he has said to
-- it; the words of either stay behind.
ALTER TABLE attempt_answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY attempt_answer_of_link ON attempt_answer FOR SELECT TO doorstep_customer
  USING (order_id = (SELECT current_link_order()));
GRANT SELECT (order_id, case_id, said) ON attempt_answer TO doorstep_customer;
GRANT SELECT (id, reason, happened_at) ON detour_case TO doorstep_customer;
