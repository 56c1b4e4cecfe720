"""Tables of core, as Piccolo sees them; the DDL stands in migrations/sql."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    DoublePrecision,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from doorstep.core.db_engine import engine


class Outbox(Table, tablename="outbox", db=engine):
    """What has to happen because of a fact."""

    id = UUID(primary_key=True, default=None)
    kind = Text()
    payload = JSONB()
    order_id = UUID(null=True, default=None)
    key = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    next_at = Timestamptz(default=None)
    runs = Integer()
    attempts = Integer()
    claimed_until = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
    dead_at = Timestamptz(null=True, default=None)
    replayed_at = Timestamptz(null=True, default=None)
    replayed_by = UUID(null=True, default=None)


class RecurringJob(Table, tablename="recurring_job", db=engine):
    """When a recurring job is due."""

    name = Text(primary_key=True)
    next_at = Timestamptz(default=None)
    outbox_id = UUID(null=True, default=None)


class Inbox(Table, tablename="inbox", db=engine):
    """A message of others, raw."""

    id = UUID(primary_key=True, default=None)
    source = Text()
    source_id = Text()
    headers = JSONB()
    body = Bytea()
    received_at = Timestamptz(default=None)
    state = Text()
    waits_for = Text(null=True, default=None)
    attempts = Integer()
    last_error = Text(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)


class IdempotencyKey(Table, tablename="idempotency_key", db=engine):
    """An answer that is given again."""

    scope = Text(primary_key=True)
    key = Text()
    route = Text()
    body_sha256 = Bytea()
    status = SmallInt()
    headers = JSONB()
    answer = Bytea()
    created_at = Timestamptz(default=None)


class Blob(Table, tablename="blob", db=engine):
    """Bytes in the blob store, by their hash."""

    sha256 = Text(primary_key=True)
    size = BigInt()
    mime = Text()
    created_at = Timestamptz(default=None)


class Upload(Table, tablename="upload", db=engine):
    """A file that a person hands in."""

    id = UUID(primary_key=True, default=None)
    sha256 = Text()
    person_id = UUID(default=None)
    length = Integer()
    received = Integer()
    started_at = Timestamptz(default=None)
    verified_at = Timestamptz(null=True, default=None)


class UploadPart(Table, tablename="upload_part", db=engine):
    """A chunk of an upload."""

    upload_id = UUID(primary_key=True, default=None)
    position = Integer()
    bytes = Bytea()


class Picture(Table, tablename="picture", db=engine):
    """A derivative of a picture."""

    sha256 = Text(primary_key=True)
    derivative = Text()
    blob_sha256 = Text()
    width = Integer()
    height = Integer()
    created_at = Timestamptz(default=None)


class PictureMeasure(Table, tablename="picture_measure", db=engine):
    """What was measured in a picture."""

    sha256 = Text(primary_key=True)
    sharpness = DoublePrecision()
    mean = DoublePrecision()
    p95 = SmallInt()
    phash = Bytea()
    bands = Array(base_column=Integer())
    codes = Array(base_column=Text())
    measured_at = Timestamptz(default=None)


class PicturePreview(Table, tablename="picture_preview", db=engine):
    """What stands for a photo until it is here."""

    sha256 = Text(primary_key=True)
    preview_sha256 = Text()
    person_id = UUID(default=None)
    named_at = Timestamptz(default=None)


class PictureRefusal(Table, tablename="picture_refusal", db=engine):
    """Why bytes are no picture."""

    sha256 = Text(primary_key=True)
    reason = Text()
    detail = Text()
    created_at = Timestamptz(default=None)


class Capture(Table, tablename="capture", db=engine):
    """An event that a phone handed in, and its receipt."""

    event_id = UUID(primary_key=True, default=None)
    person_id = UUID(default=None)
    device_id = UUID(default=None)
    body = Bytea()
    digest = Bytea()
    type = Text(null=True, default=None)
    schema_version = Integer(null=True, default=None)
    lane = Text(null=True, default=None)
    device_seq = BigInt(null=True, default=None)
    captured_at = Timestamptz(null=True, default=None)
    mono_ms = BigInt(null=True, default=None)
    boot = UUID(null=True, default=None)
    server_at = Timestamptz(null=True, default=None)
    server_mono_ms = BigInt(null=True, default=None)
    app_version = Text()
    request_id = Text()
    received_at = Timestamptz(default=None)
    earliest_at = Timestamptz(null=True, default=None)
    latest_at = Timestamptz(null=True, default=None)
    time_flag = Text(null=True, default=None)
    verdict = Text(null=True, default=None)
    reason = Text(null=True, default=None)
    signature = Text(null=True, default=None)
    surrendered = Boolean()
    recorded_at = Timestamptz(null=True, default=None)
    attempts = Integer()
    next_at = Timestamptz(default=None)
    failure = Text(null=True, default=None)


class StrayCapture(Table, tablename="stray_capture", db=engine):
    """What a phone handed in without an id of its own."""

    id = UUID(primary_key=True, default=None)
    event_id = UUID(null=True, default=None)
    why = Text()
    body = Bytea()
    sha256 = Bytea()
    person_id = UUID(default=None)
    device_id = UUID(default=None)
    app_version = Text()
    request_id = Text()
    received_at = Timestamptz(default=None)


class PullState(Table, tablename="pull_state", db=engine):
    """What a phone was given of its person's documents, by the cursor it names."""

    device_id = UUID(primary_key=True, default=None)
    cursor = Text()
    manifest = JSONB()
    made_at = Timestamptz(default=None)


class SyncHealth(Table, tablename="sync_health", db=engine):
    """How a phone stands, and when it was last heard."""

    device_id = UUID(primary_key=True, default=None)
    last_push_at = Timestamptz(null=True, default=None)
    last_pull_at = Timestamptz(null=True, default=None)
    last_receipt_at = Timestamptz(null=True, default=None)
    reported_at = Timestamptz(null=True, default=None)
    entries = Integer(null=True, default=None)
    entry_bytes = BigInt(null=True, default=None)
    pictures = Integer(null=True, default=None)
    picture_bytes = BigInt(null=True, default=None)
    quarantined = Integer(null=True, default=None)
    oldest_at = Timestamptz(null=True, default=None)
    storage_used = BigInt(null=True, default=None)
    storage_quota = BigInt(null=True, default=None)
    storage_persisted = Boolean(null=True, default=None)
    clock_offset_ms = BigInt(null=True, default=None)
    places_unreadable = Integer()
    places_unreadable_at = Timestamptz(null=True, default=None)
