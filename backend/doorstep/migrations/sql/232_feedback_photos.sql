-- What a customer shows with a rating. The files are pictures; desks see them with the parcel's others.

CREATE TABLE feedback_photo (
  feedback_id uuid     NOT NULL CONSTRAINT feedback_photo_of_feedback REFERENCES feedback (id),
  n           smallint NOT NULL,
  sha256      text     NOT NULL CONSTRAINT feedback_photo_blob_fk REFERENCES blob (sha256),
  CONSTRAINT feedback_photo_pkey PRIMARY KEY (feedback_id, n),
  CONSTRAINT feedback_photo_once UNIQUE (feedback_id, sha256)
);
-- Before a file is deleted it is asked which rating shows it.
CREATE INDEX feedback_photo_sha256_idx ON feedback_photo (sha256);
