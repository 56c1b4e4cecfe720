-- A phone is told at every pull what its person has done of the day.
CREATE INDEX delivery_attempt_by_person ON delivery_attempt (person_id, recorded_at);
CREATE INDEX visit_report_by_technician ON visit_report (technician_id, recorded_at);
CREATE INDEX visit_failure_by_technician ON visit_failure (technician_id, recorded_at);
