-- Which goods are in which box. A product of several pieces makes as many boxes of its own; `n` counts
-- those of a line, all pieces of one unit after another. Each is in one package, alone or with others.
CREATE TABLE package_goods (
  fulfilment_line_id uuid     NOT NULL CONSTRAINT package_goods_line_fk REFERENCES fulfilment_line (id) ON DELETE CASCADE,
  n                  smallint NOT NULL,
  package_id         uuid     NOT NULL CONSTRAINT package_goods_package_fk REFERENCES package (id),
  CONSTRAINT package_goods_pkey PRIMARY KEY (fulfilment_line_id, n),
  CONSTRAINT package_goods_n_counts CHECK (n > 0)
);
CREATE INDEX package_goods_package ON package_goods (package_id);

-- What a package holds, for whoever carries it: [{fulfilment_line_id, sku, name, quantity, part, parts}];
-- `part` of `parts` tells the pieces of one unit apart. Empty where nobody has said.
CREATE FUNCTION box_goods(package uuid) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('fulfilment_line_id', g.line, 'sku', g.sku, 'name', g.name,
           'quantity', g.quantity, 'part', g.part, 'parts', g.parts) ORDER BY g.name, g.line, g.part), '[]')
    FROM (SELECT b.fulfilment_line_id AS line, p.sku, p.name, (b.n - 1) % p.pieces + 1 AS part, p.pieces
                   AS parts, count(*) AS quantity
            FROM package_goods b
            JOIN fulfilment_line l ON l.id = b.fulfilment_line_id
            JOIN product p ON p.id = l.product_id
           WHERE b.package_id = package GROUP BY 1, 2, 3, 4, 5) g
$$;
