-- How a product is installed, in words that a phone keeps: what the checklist asks to be done, this tells how.

-- Never changed: a new text is a new version. One without texts and link takes the manual back.
CREATE TABLE manual (
  id          uuid        PRIMARY KEY,
  product_id  uuid        NOT NULL CONSTRAINT manual_product_fk REFERENCES product (id),
  version     int         NOT NULL CONSTRAINT manual_version_positive CHECK (version > 0),
  -- By language; lines are paragraphs.
  texts       jsonb       NOT NULL,
  -- The maker's own document, for which a network is needed; empty where there is none.
  link        text        NOT NULL CONSTRAINT manual_link_https CHECK (link = '' OR link ~ '^https://'),
  written_by  uuid        CONSTRAINT manual_written_by_fk REFERENCES person (id),
  written_at  timestamptz NOT NULL,
  CONSTRAINT manual_version_unique UNIQUE (product_id, version)
);
SELECT make_append_only('manual');
