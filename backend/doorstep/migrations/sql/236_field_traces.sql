-- The payment link of a stop that counts: the one that was paid, else the newest.
CREATE FUNCTION door_link_of(stop uuid) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT jsonb_build_object('amount_minor', k.amount_minor, 'url', k.url, 'expires_at', k.expires_at,
           'refused', k.refused, 'paid_minor', k.paid_minor, 'reference', k.reference)
    FROM door_link k WHERE k.stop_id = stop
   ORDER BY k.paid_minor > 0 DESC, k.asked_at DESC LIMIT 1
$$;

-- What a person has done on the floor, and said in the field, is asked for with each of his pulls.
CREATE INDEX package_by_packer ON package (packed_by, packed_at);
CREATE INDEX receipt_by_person ON receipt (actor_id, recorded_at);
CREATE INDEX cycle_count_by_finisher ON cycle_count (finished_by, finished_at);
CREATE INDEX field_word_by_person ON field_word (person_id, recorded_at);
CREATE INDEX unannounced_goods_by_person ON unannounced_goods (actor_id, recorded_at);
