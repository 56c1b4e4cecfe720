-- What a phone was given of the documents of its person: the digest of each, under the cursor that
-- the phone names when it asks for what has changed since. Only the server reads it; whoever lacks
-- a row here gets everything, so that rows may be deleted at any time.
CREATE TABLE pull_state (
  device_id uuid NOT NULL CONSTRAINT pull_state_of_device REFERENCES device (id),
  cursor    text NOT NULL,
  -- "kind:id" → digest of that document.
  manifest  jsonb NOT NULL CONSTRAINT pull_state_manifest_object CHECK (jsonb_typeof(manifest) = 'object'),
  made_at   timestamptz NOT NULL,
  CONSTRAINT pull_state_pkey PRIMARY KEY (device_id, cursor)
);
CREATE INDEX pull_state_by_age ON pull_state (made_at);

-- What the phone showed as due when the proof was captured; another amount than `due_minor` means
-- that it was edited after the phone had pulled last. Unknown where the phone did not say.
ALTER TABLE pod ADD COLUMN shown_minor bigint
  CONSTRAINT pod_shown_not_negative CHECK (shown_minor >= 0);
