-- What field workers say beside the flows of their jobs: a note, a problem, what was wrong with an
-- earlier capture, why a proof should count after all. A word is never changed and changes nothing.
CREATE TABLE field_word (
  id            uuid CONSTRAINT field_word_pkey PRIMARY KEY,
  kind          text NOT NULL CONSTRAINT field_word_kind_known
                CHECK (kind IN ('note', 'problem', 'amendment', 'appeal')),
  person_id     uuid NOT NULL CONSTRAINT field_word_of_person REFERENCES person (id),
  device_id     uuid,
  -- The job it was said on, as the phone calls it (`stop`, `visit`, ...); empty: on none.
  job_kind      text,
  job_id        uuid,
  order_id      uuid CONSTRAINT field_word_of_order REFERENCES customer_order (id),
  fulfilment_id uuid CONSTRAINT field_word_of_fulfilment REFERENCES fulfilment (id),
  -- Problems: what it is about.
  about         text NOT NULL DEFAULT '',
  -- Amendments: the capture that it speaks of. Appeals: the proof.
  amends        uuid CONSTRAINT field_word_of_capture REFERENCES capture (event_id),
  pod_id        uuid CONSTRAINT field_word_of_pod REFERENCES pod (id),
  words         text NOT NULL CONSTRAINT field_word_says_something
                CHECK (length(words) BETWEEN 1 AND 500),
  photos        text[] NOT NULL DEFAULT '{}',
  -- What a person was asked by it.
  problem_id    uuid CONSTRAINT field_word_of_problem REFERENCES problem (id),
  captured_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT field_word_job_whole CHECK ((job_kind IS NULL) = (job_id IS NULL)),
  CONSTRAINT field_word_note_on_job CHECK (kind <> 'note' OR job_id IS NOT NULL),
  CONSTRAINT field_word_about_known CHECK ((kind = 'problem') = (about <> '')),
  CONSTRAINT field_word_amends_one CHECK ((kind = 'amendment') = (amends IS NOT NULL)),
  CONSTRAINT field_word_appeals_one CHECK ((kind = 'appeal') = (pod_id IS NOT NULL))
);
CREATE INDEX field_word_by_order ON field_word (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX field_word_by_problem ON field_word (problem_id) WHERE problem_id IS NOT NULL;
CREATE INDEX field_word_by_capture ON field_word (amends) WHERE amends IS NOT NULL;
CREATE INDEX field_word_by_pod ON field_word (pod_id) WHERE pod_id IS NOT NULL;
CREATE INDEX field_word_with_photos ON field_word (recorded_at) WHERE photos <> '{}';
SELECT make_append_only('field_word');

-- The reasons of a check as names that a phone can say in its own language, beside the words.
ALTER TABLE pod ADD COLUMN check_findings jsonb NOT NULL DEFAULT '[]';
-- A phone is told of its person's proofs at every pull.
CREATE INDEX pod_by_person ON pod (person_id, recorded_at);
