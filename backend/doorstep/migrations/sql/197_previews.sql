-- Which small picture stands for a photo until the photo itself is here. It proves nothing, and whose
-- it is matters: a preview counts only where the person that names it has also uploaded it.
CREATE TABLE picture_preview (
  sha256         text NOT NULL,
  preview_sha256 text NOT NULL,
  person_id      uuid NOT NULL CONSTRAINT picture_preview_of_person REFERENCES person (id),
  named_at       timestamptz NOT NULL,
  CONSTRAINT picture_preview_pkey PRIMARY KEY (sha256, person_id),
  CONSTRAINT picture_preview_is_hex
    CHECK (sha256 ~ '^[0-9a-f]{64}$' AND preview_sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT picture_preview_is_another CHECK (sha256 <> preview_sha256)
);
CREATE INDEX picture_preview_by_preview ON picture_preview (preview_sha256);
