-- Files by the hash of their content, uploads in parts, and the pictures made from them.

-- One row per content that lies in the file store. The bytes are written before the row.
CREATE TABLE blob (
  sha256     text PRIMARY KEY,
  size       bigint NOT NULL,
  mime       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT blob_sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT blob_size_not_negative CHECK (size >= 0)
);

-- One row per content and person: knowing a hash opens nothing, only having had the bytes does.
CREATE TABLE upload (
  id          uuid PRIMARY KEY,
  sha256      text NOT NULL,
  person_id   uuid NOT NULL,
  length      integer NOT NULL,
  received    integer NOT NULL DEFAULT 0,
  started_at  timestamptz NOT NULL,
  verified_at timestamptz,
  CONSTRAINT upload_of_person FOREIGN KEY (person_id) REFERENCES person (id),
  CONSTRAINT upload_once_per_person UNIQUE (person_id, sha256),
  CONSTRAINT upload_sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT upload_length_bounded CHECK (length BETWEEN 1 AND 8388608),
  CONSTRAINT upload_received_bounded CHECK (received BETWEEN 0 AND length),
  CONSTRAINT upload_verified_is_whole CHECK (verified_at IS NULL OR received = length)
);
CREATE INDEX upload_verified ON upload (sha256) WHERE verified_at IS NOT NULL;
CREATE INDEX upload_open ON upload (started_at) WHERE verified_at IS NULL;

-- The parts of an upload until it is whole; in rows, so that any process can take the next one.
CREATE TABLE upload_part (
  upload_id uuid NOT NULL,
  position  integer NOT NULL,
  bytes     bytea NOT NULL,
  PRIMARY KEY (upload_id, position),
  CONSTRAINT upload_part_of_upload FOREIGN KEY (upload_id) REFERENCES upload (id) ON DELETE CASCADE,
  CONSTRAINT upload_part_size_bounded CHECK (octet_length(bytes) BETWEEN 1 AND 65536)
);
-- Photos do not compress: the parts go to the TOAST table as they are.
ALTER TABLE upload_part ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What is shown instead of an uploaded photo: upright, smaller, without the phone's metadata.
CREATE TABLE picture (
  sha256      text NOT NULL,
  derivative  text NOT NULL,
  blob_sha256 text NOT NULL,
  width       integer NOT NULL,
  height      integer NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sha256, derivative),
  CONSTRAINT picture_derivative_known CHECK (derivative IN ('large', 'thumbnail')),
  CONSTRAINT picture_of_blob FOREIGN KEY (sha256) REFERENCES blob (sha256),
  CONSTRAINT picture_is_blob FOREIGN KEY (blob_sha256) REFERENCES blob (sha256),
  CONSTRAINT picture_size_positive CHECK (width > 0 AND height > 0)
);

-- What was measured in a picture when it was decoded; what that means is for others to say.
CREATE TABLE picture_measure (
  sha256      text PRIMARY KEY,
  sharpness   double precision NOT NULL,
  mean        double precision NOT NULL,
  p95         smallint NOT NULL,
  -- How it looks, in 256 bits, and the same as 16 numbered pieces: hashes that differ in at most 15
  -- bits share a piece, so the index finds every one of them.
  phash       bytea NOT NULL,
  bands       integer[] NOT NULL,
  -- The texts of the barcodes in it.
  codes       text[] NOT NULL,
  measured_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT picture_measure_of_blob FOREIGN KEY (sha256) REFERENCES blob (sha256),
  CONSTRAINT picture_measure_phash_whole CHECK (octet_length(phash) = 32),
  CONSTRAINT picture_measure_bands_whole CHECK (cardinality(bands) = 16),
  CONSTRAINT picture_measure_light_in_range CHECK (p95 BETWEEN 0 AND 255 AND mean BETWEEN 0 AND 255)
);
CREATE INDEX picture_measure_bands ON picture_measure USING gin (bands) WITH (fastupdate = off);

-- Why an upload is not shown. The bytes stay: they are what somebody handed in.
CREATE TABLE picture_refusal (
  sha256     text PRIMARY KEY,
  reason     text NOT NULL,
  detail     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT picture_refusal_of_blob FOREIGN KEY (sha256) REFERENCES blob (sha256)
);
