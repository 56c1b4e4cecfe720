-- Where goods lie within a place, as it is written on the shelf: pickers walk in the order of the bins
-- (SPEC J1005). A product has one bin at a place; where none is known, its goods come last.
CREATE TABLE bin (
  location_id uuid        NOT NULL CONSTRAINT bin_location_fk REFERENCES location (id),
  product_id  uuid        NOT NULL CONSTRAINT bin_product_fk REFERENCES product (id),
  code        text        NOT NULL,
  changed_by  uuid        CONSTRAINT bin_changed_by_fk REFERENCES person (id),
  changed_at  timestamptz NOT NULL,
  CONSTRAINT bin_pkey PRIMARY KEY (location_id, product_id),
  CONSTRAINT bin_code_written CHECK (code ~ '^[^[:cntrl:]]{1,20}$' AND code = btrim(code))
);

-- "A-2" comes before "A-10": each number is compared as one.
CREATE FUNCTION bin_order(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT regexp_replace(regexp_replace(upper(code), '(\d+)', '00000000000000000000\1', 'g'), '0*(\d{20})', '\1', 'g')
$$;
