"""Violations of the road: runs, vans and shifts, visits, proofs and their pictures."""

from __future__ import annotations

from tests.support.plants.plant import Plant, copies

ONE_STOP = (
    "DROP INDEX delivery_stop_one_active",
    "delivery_stop",
    "CREATE UNIQUE INDEX delivery_stop_one_active ON delivery_stop (fulfilment_id)"
    " WHERE state = 'open'",
)
ONE_SHIFT = (
    "DROP INDEX shift_one_open_per_vehicle",
    "shift",
    "CREATE UNIQUE INDEX shift_one_open_per_vehicle ON shift (vehicle_id)"
    " WHERE state IN ('open', 'closing')",
)
ONE_VISIT = (
    "DROP INDEX visit_one_active",
    "visit",
    "CREATE UNIQUE INDEX visit_one_active ON visit (fulfilment_id, claim_id) NULLS NOT DISTINCT"
    " WHERE state IN ('booked', 'started')",
)
ONE_PLACE = (
    "ALTER TABLE visit DROP CONSTRAINT visit_no_overlap",
    "visit",
    "ALTER TABLE visit ADD CONSTRAINT visit_no_overlap EXCLUDE USING gist"
    " (technician_id WITH =, during WITH &&) WHERE (state IN ('booked', 'started'))",
)

PLANTS = {
    "a van nobody drives has goods on it": Plant(
        "IS2 vans", ("shift",), ("UPDATE shift SET state = 'closed', closed_at = now(),"
         " close_event_id = new_id(), closed_by = opened_by WHERE state = 'open'",),
    ),
    "a closed shift has a delivery to do": Plant(
        "IO6 shifts",
        ("delivery_stop",),
        ("UPDATE delivery_stop SET state = 'open', closed_at = NULL WHERE run_id IN (SELECT r.id"
         " FROM delivery_run r JOIN shift s ON s.id = r.shift_id WHERE s.state = 'closed')",),
    ),
    "a shift was closed with cash that nobody had counted": Plant(
        "IM9 shifts", ("cash_count_line",), ("DELETE FROM cash_count_line",)
    ),
    "a technician is at two visits at once": Plant(
        "IO6 visits",
        ("visit",),
        (copies("visit", "'id', new_id(), 'state', 'booked', 'start_event_id', null", times=2),),
        (ONE_VISIT, ONE_PLACE),
    ),
    "a parcel is to be delivered by two runs": Plant(
        "IO6 stops",
        ("delivery_stop",),
        (copies("delivery_stop", "'id', new_id(), 'state', 'open', 'closed_at', null,"
                " 'position', x.position + 100 * n", times=2),),
        (ONE_STOP,),
    ),
    "a van is driven by two crews": Plant(
        "IO6 vehicles",
        ("shift",),
        (copies("shift", "'id', new_id(), 'open_event_id', new_id(), 'number', 'SH-AGAIN'",
                "x.state = 'open'"),),
        (ONE_SHIFT,),
    ),
    "a proof was applied that no event tells of": Plant(
        "IC1 applied", ("pod",), ("UPDATE pod SET id = new_id()",)
    ),
    "a report was applied that no event tells of": Plant(
        "IC1 applied", ("visit_report",), ("UPDATE visit_report SET id = new_id()",)
    ),
    "a failed delivery was applied that no event tells of": Plant(
        "IC1 applied",
        ("delivery_attempt",),
        ("INSERT INTO delivery_attempt SELECT new_id(), order_id, fulfilment_id, stop_id, attempt,"
         " person_id, device_id, 'delivery_failed', 'not_home', '', true, 60, NULL, '{}', lat, lng,"
         " accuracy_m, 'applied', captured_at, recorded_at FROM pod",),
    ),
    "a report of pieces was applied that no event tells of": Plant(
        "IC1 applied",
        ("piece_report_parcel", "piece_report"),
        ("INSERT INTO piece_report SELECT new_id(), 'damaged', '{X-1}', '{}', '', person_id,"
         " 'courier', 'phone', device_id, captured_at, recorded_at, 'r' FROM pod",
         "INSERT INTO piece_report_parcel SELECT r.id, p.order_id, p.fulfilment_id, new_id(),"
         " 'applied', r.recorded_at FROM piece_report r, pod p",),
    ),
    "a failed visit was applied that no event tells of": Plant(
        "IC1 applied",
        ("visit_failure",),
        ("INSERT INTO visit_failure SELECT new_id(), order_id, fulfilment_id, visit_id,"
         " technician_id, device_id, 'not_home', '', '{}', 'applied', captured_at, recorded_at"
         " FROM visit_report",),
    ),
    "a capture was kept and never carried out": Plant(
        "IC1 receipts",
        ("capture",),
        ("INSERT INTO capture (event_id, person_id, device_id, body, digest, type, schema_version,"
         " lane, device_seq, captured_at, mono_ms, boot, app_version, request_id, received_at,"
         " earliest_at, latest_at, next_at, signature, surrendered) SELECT new_id(), person_id, id,"
         " '{}', sha256('{}'), 'pod.record', 1, 'stop', 1, now(), 0, new_id(), '1', 'r',"
         " now() - interval '1 hour', now(), now(), now(), 'valid', false FROM device LIMIT 1",),
    ),
    "what came after a phone was shut out has counted": Plant(
        "IC5",
        ("capture", "device", "session"),
        ("UPDATE session SET revoked_at = now(), revoked_why = 'lost' WHERE device_id IS NOT NULL",
         "UPDATE device SET state = 'revoked', state_at = now() - interval '1 hour'",
         "INSERT INTO capture (event_id, person_id, device_id, body, digest, type, schema_version,"
         " lane, device_seq, captured_at, mono_ms, boot, app_version, request_id, received_at,"
         " earliest_at, latest_at, next_at, verdict, reason, recorded_at, signature, surrendered)"
         " SELECT new_id(), person_id, id, '{}', sha256('{}'), 'pod.record', 1, 'stop', 1, now(), 0,"
         " new_id(), '1', 'r', now(), now(), now(), now(), 'applied', '', now(), 'valid', false"
         " FROM device LIMIT 1"),
    ),
    "a phone that was shut out is still signed in": Plant(
        "IA5", ("device",), ("UPDATE device SET state = 'revoked'",)
    ),
    "a phone is told no and not why": Plant(
        "IC1 reasons",
        ("capture",),
        ("INSERT INTO capture (event_id, person_id, device_id, body, digest, app_version,"
         " request_id, received_at, next_at, verdict, reason, recorded_at, surrendered) SELECT"
         " new_id(), person_id, id, '{}', sha256('{}'), '1', 'r', now(), now(), 'rejected', '',"
         " now(), false FROM device LIMIT 1",),
    ),
    "the picture of a proof has not come for hours": Plant(
        "IC4",
        ("pod", "pod_photo"),
        ("UPDATE pod SET recorded_at = recorded_at - interval '7 hours'",
         "UPDATE pod_photo SET verified_at = NULL"),
    ),
    "a proof whose pictures are measured has no verdict": Plant(
        "A9",
        ("pod", "picture_measure"),
        ("UPDATE pod SET check_verdict = NULL, check_reasons = '{}', check_hold = NULL,"
         " checked_at = NULL, bytes_verified_at = now() - interval '2 hours'",
         "INSERT INTO picture_measure (sha256, sharpness, mean, p95, phash, bands, codes)"
         " SELECT DISTINCT p.sha256, 1, 100, 200, decode(repeat('0f', 32), 'hex'),"
         " array_fill(1, ARRAY[16]), '{}'::text[] FROM pod_photo p"
         " JOIN blob b ON b.sha256 = p.sha256"
         " ON CONFLICT DO NOTHING"),
    ),
    "the picture of a report has not come for hours": Plant(
        "IC4 reports",
        ("visit_report", "visit_report_photo"),
        ("UPDATE visit_report SET recorded_at = recorded_at - interval '7 hours'",
         "UPDATE visit_report_photo SET verified_at = NULL"),
    ),
    "a picture has not come for hours, and nobody is asked for it": Plant(
        "IC4 alarm",
        ("pod", "pod_photo"),
        ("UPDATE pod SET recorded_at = recorded_at - interval '8 hours'",
         "UPDATE pod_photo SET sha256 = repeat('0', 64), verified_at = NULL"),
    ),
}  # fmt: skip
