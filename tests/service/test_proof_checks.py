"""Proofs of delivery are judged by what their pictures show, and V4 waits for what failed (A9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from doorstep import doctor, journey
from doorstep.core import blobs, pictures
from doorstep.core import db as core_db
from doorstep.core import redis as core_redis
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.core.outbox import bell
from doorstep.flows import deliver, proof_checks, proof_pictures, settle
from doorstep.journey import Verdict
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.rules.proofs import OwnThreshold
from doorstep.modules.tms.schemas import Photo, Place
from tests.factories import money
from tests.factories.care import make_vendor, place, reacting, travel
from tests.factories.money import accept, make_costs, reasons, states
from tests.factories.road import (
    REACTIONS,
    Road,
    a_proof,
    code_of,
    labels_of,
    make_actor,
    out_for_delivery,
    picture,
    problems_of,
    upload,
)
from tests.factories.world import make_world
from tests.support.pictures import draw_door, to_jpeg

pytestmark = pytest.mark.usefixtures("db")

ALL: Mapping[str, Sequence[journey.Reaction]] = {
    name: (*REACTIONS.get(name, ()), *money.MONEY.get(name, ()))
    for name in {*REACTIONS, *money.MONEY}
} | {"pod_checked": (settle.review,), "pod_accepted": (settle.review,)}
SIZE = (800, 600)


@pytest.fixture(autouse=True)
async def store(tmp_path: Path) -> AsyncIterator[None]:
    """A file store of the test's own, and no child left behind."""
    await blobs.start((tmp_path / "blobs").as_uri())
    yield
    await pictures.stop()
    await blobs.stop()


@pytest.fixture
async def paid(db: object) -> AsyncIterator[Road]:
    """A road whose goods are a vendor's, with the reactions of transport and money."""
    async with money.open_bank():
        with reacting(ALL):
            world = await make_world(vendor_id=await make_vendor(), units=9)
            await tms.create_carrier(
                "OWN", "Doorstep Fleet", services=[tms.Service(world.channel_id)]
            )
            await make_costs(world)
            yield Road(world, await make_actor("courier"), await make_actor("dispatcher", "person"))
    await bell.rest()
    await core_redis.stop()


class Going(NamedTuple):
    """A parcel at the door: its stop, its purchase order, its label."""

    parcel: UUID
    stop: UUID
    po_id: UUID
    label: str


async def at_the_door(road: Road) -> Going:
    going = await place(("KET-17", 1), world=road.world)
    parcel = going.parcels[0]
    await core_db.execute(
        "INSERT INTO package VALUES ($1, $2, 1, 1, 5000, 300, 300, 300, NULL, now())",
        uuid7(),
        parcel,
    )
    await travel(parcel, 1002, 1003)
    po_id: UUID = await core_db.value("SELECT po_id FROM fulfilment WHERE id = $1", parcel)
    await accept(going, po_id)
    await travel(parcel, 1005, 1006, 1007)
    stops = await out_for_delivery(road, parcel)
    return Going(parcel, stops[parcel], po_id, (await labels_of(parcel))[0])


async def send(data: bytes) -> str:
    """Upload a picture and let the worker look at it."""
    sha256 = await blobs.put(data, mime="image/jpeg")
    await pictures.derive(sha256)
    await proof_pictures.photo_verified(sha256)
    return sha256


async def hand_over(
    road: Road, going: Going, data: bytes, *, first: bool = False, **other: Any
) -> UUID:
    """Hand in a proof with this picture, which comes before or after it; return its id."""
    sha256 = await send(data) if first else await blobs.put(data, mime="image/jpeg")
    given = {
        "photos": [Photo(slot="parcel", sha256=sha256)],
        "signature": [[(0.0, 0.0, 0), (90.0, 90.0, 20)], [(5.0, 0.0, 0), (60.0, 5.0, 20)]],
    }
    proof = await a_proof(going.parcel, **given | other)
    answer = await deliver.record_pod(going.stop, proof, actor=road.courier)
    assert answer.verdict in (Verdict.APPLIED, Verdict.DUPLICATE)
    await send(data)
    return proof.event_id


async def checked(pod_id: UUID) -> dict[str, Any]:
    return await core_db.one("SELECT * FROM pod WHERE id = $1", pod_id)


async def v4(going: Going) -> str:
    return (await states(going.po_id))[3]


async def doctor_is_content() -> None:
    found = [one for one in await doctor.run() if one.check in ("A9", "IO2", "IM3")]
    assert found == []


def of(going: Going, seed: int, **other: Any) -> bytes:
    return to_jpeg(draw_door(seed, going.label, size=SIZE, **other))


def encoded_again(data: bytes) -> bytes:
    image = Image.open(BytesIO(data)).convert("RGB")
    return to_jpeg(image.resize((640, 480), Image.Resampling.LANCZOS), 60)


@pytest.mark.parametrize("first", [True, False])
async def test_a_good_photo_lets_v4_go_whenever_it_comes(paid: Road, first: bool) -> None:
    going = await at_the_door(paid)
    pod_id = await hand_over(paid, going, of(going, 1), first=first)
    pod = await checked(pod_id)
    assert (pod["check_verdict"], pod["check_reasons"]) == ("passed", [])
    assert await v4(going) == "released" and await problems_of(going.parcel) == []
    count = "SELECT (SELECT count(*) FROM journey_event) + (SELECT count(*) FROM outbox)"
    before = await core_db.value(count)
    for _ in range(3):
        await send(of(going, 1))
    assert await core_db.value(count) == before, "the same again changes nothing"
    await doctor_is_content()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("again", [bytes, encoded_again])
async def test_a_photo_of_an_earlier_proof_keeps_v4(paid: Road, again: Any, first: bool) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    photo = to_jpeg(draw_door(2, size=SIZE))
    assert (await checked(await hand_over(paid, one, photo)))["check_verdict"] == "passed"
    pod_id = await hand_over(paid, other, again(photo), first=first)
    pod = await checked(pod_id)
    assert pod["check_verdict"] == "failed" and pod["verdict"] == "applied"
    assert "handed in before for another order" in pod["check_hold"]
    assert (await v4(one), await v4(other)) == ("released", "held")
    assert "handed in before" in (await reasons(other.po_id))[4]
    assert await problems_of(other.parcel) == ["pod_failed"]
    assert await problems_of(one.parcel) == [], "the earlier proof stands"
    detail = await core_db.value("SELECT detail FROM problem WHERE kind = 'pod_failed'")
    assert "First for DS-" in detail and "DS-" not in pod["check_hold"]

    await deliver.accept_pod(pod_id, "the customer has it", actor=paid.dispatcher)
    assert await v4(other) == "released" and await problems_of(other.parcel) == []
    await send(again(photo))
    assert await v4(other) == "released" and await problems_of(other.parcel) == []
    with pytest.raises(NotFound):
        await deliver.accept_pod(pod_id, "once more", actor=paid.dispatcher)
    await doctor_is_content()


async def test_a_better_photo_lets_v4_go(paid: Road) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    photo = to_jpeg(draw_door(3, size=SIZE))
    await hand_over(paid, one, photo)
    code = await code_of(other.parcel)
    failed = await hand_over(paid, other, photo, handover_code=code)
    assert await v4(other) == "held"
    await hand_over(paid, other, of(other, 4), handover_code=code)
    assert await v4(other) == "released" and await problems_of(other.parcel) == []
    assert (await checked(failed))["hold_lifted_at"] is not None


async def test_the_label_of_another_parcel_fails(paid: Road) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    pod_id = await hand_over(paid, one, of(other, 5))
    assert (await checked(pod_id))["check_reasons"] == [
        "The photo 'parcel' shows the label of another parcel."
    ]
    named = {"code": "other_label", "slot": "parcel", "metres": None}
    assert (await checked(pod_id))["check_findings"] == [named]
    assert await v4(one) == "held" and await problems_of(one.parcel) == ["pod_failed"]
    both = to_jpeg(draw_door(6, one.label, other.label, size=(1600, 1200)))
    pod_id = await hand_over(paid, other, both)
    assert (await checked(pod_id))["check_verdict"] == "passed", "both parcels stand in the picture"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(lambda im: im.filter(ImageFilter.GaussianBlur(4)), "is blurred"),
     (lambda im: ImageEnhance.Brightness(im).enhance(0.15), "is too dark")],
)  # fmt: skip
async def test_a_poor_photo_is_looked_at_and_keeps_nothing(
    paid: Road, spoil: Any, words: str
) -> None:
    going = await at_the_door(paid)
    pod_id = await hand_over(paid, going, to_jpeg(spoil(draw_door(7, size=SIZE))))
    pod = await checked(pod_id)
    assert pod["check_verdict"] == "look" and words in pod["check_reasons"][0]
    assert await v4(going) == "released"
    assert await problems_of(going.parcel) == ["pod_doubtful"]
    await deliver.accept_pod(pod_id, "the box is to be seen", actor=paid.dispatcher)
    assert await problems_of(going.parcel) == []


async def test_a_place_far_from_the_pin_and_a_dot_for_a_signature_are_looked_at(paid: Road) -> None:
    going = await at_the_door(paid)
    pod_id = await hand_over(
        paid,
        going,
        of(going, 8),
        place=Place(lat=25.1, lng=55.14, accuracy_m=20),
        signature=[[(0.0, 0.0, 0), (1.0, 1.0, 20)]],
    )
    pod = await checked(pod_id)
    assert pod["check_verdict"] == "look"
    assert "2224 m from the address" in pod["check_reasons"][0] and "dot" in pod["check_reasons"][1]


async def test_a_channel_may_be_judged_by_thresholds_of_its_own(paid: Road) -> None:
    await tms.save_threshold(
        OwnThreshold("place_m", 5000, channel_id=paid.world.channel_id), "a rural channel"
    )
    going = await at_the_door(paid)
    pod_id = await hand_over(
        paid, going, of(going, 9), place=Place(lat=25.1, lng=55.14, accuracy_m=20)
    )
    assert (await checked(pod_id))["check_verdict"] == "passed"


async def test_a_wrong_code_fails_and_a_dispatcher_lets_v4_go(paid: Road) -> None:
    going = await at_the_door(paid)
    wrong = f"{(int(await code_of(going.parcel)) + 1) % 10**6:06d}"
    pod_id = await hand_over(paid, going, of(going, 10), handover_code=wrong)
    pod = await checked(pod_id)
    assert pod["check_verdict"] == "failed" and "code was wrong" in pod["check_reasons"][0]
    assert await v4(going) == "held"
    assert await problems_of(going.parcel) == ["handover_code_wrong"]
    await deliver.accept_pod(pod_id, "called the customer", actor=paid.dispatcher)
    assert await v4(going) == "released" and await problems_of(going.parcel) == []


async def test_a_picture_that_was_never_measured_makes_no_verdict(paid: Road) -> None:
    going = await at_the_door(paid)
    await upload(picture(str(going.parcel)))
    await deliver.record_pod(going.stop, await a_proof(going.parcel), actor=paid.courier)
    assert await core_db.value("SELECT checked_at FROM pod") is None
    assert await v4(going) == "released"
    await doctor_is_content()


async def test_the_same_photo_twice_at_once_fails_one_of_them(paid: Road) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    photo = to_jpeg(draw_door(11, size=SIZE))
    sha256 = await send(photo)
    given = {"photos": [Photo(slot="parcel", sha256=sha256)]}
    proofs = [await a_proof(going.parcel, **given) for going in (one, other)]
    await asyncio.gather(*(
        deliver.record_pod(going.stop, proof, actor=paid.courier)
        for going, proof in zip((one, other), proofs, strict=True)
    ))  # fmt: skip
    # The worker looks once more after each commit.
    for _ in proofs:
        await proof_pictures.photo_verified(sha256)
    found = await core_db.rows("SELECT check_verdict FROM pod ORDER BY recorded_at, id")
    assert [row["check_verdict"] for row in found] == ["look", "failed"]


async def test_a_proof_in_review_lets_nothing_go_until_it_counts(paid: Road) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    photo = to_jpeg(draw_door(12, size=SIZE))
    await hand_over(paid, one, photo)
    await hand_over(paid, other, photo)
    sha256 = await send(of(other, 13))
    half = await a_proof(
        other.parcel, photos=[Photo(slot="parcel", sha256=sha256)], scanned_labels=[]
    )
    answer = await deliver.record_pod(other.stop, half, actor=paid.courier)
    await proof_pictures.photo_verified(sha256)
    assert answer.verdict is Verdict.REVIEW
    assert (await checked(half.event_id))["check_verdict"] == "look", "a dot for a signature"
    assert await v4(other) == "held"


async def test_a_copy_is_found_by_the_index_among_many_pictures(paid: Road) -> None:
    one, other = await at_the_door(paid), await at_the_door(paid)
    photo = to_jpeg(draw_door(14, size=SIZE))
    await hand_over(paid, one, photo)
    for first in range(1, 20_000, 2_000):
        await core_db.execute(
            "WITH made AS (SELECT encode(sha256(('a' || n)::bytea), 'hex') AS sha256,"
            "  sha256(('b' || n)::bytea) AS phash FROM generate_series($1::int, $1 + 1999) n), kept AS ("
            "  INSERT INTO blob (sha256, size, mime) SELECT sha256, 1, 'image/jpeg' FROM made)"
            " INSERT INTO picture_measure (sha256, sharpness, mean, p95, phash, bands, codes)"
            " SELECT sha256, 1, 100, 200, phash, ARRAY (SELECT (b << 16) + (get_byte(phash, 2 * b) << 8)"
            "  + get_byte(phash, 2 * b + 1) FROM generate_series(0, 15) b), '{}' FROM made",
            first,
        )
    await core_db.execute("ANALYZE picture_measure")
    pod = await hand_over(paid, other, encoded_again(photo))
    assert (await checked(pod))["check_verdict"] == "failed"
    mine = await core_db.one(
        "SELECT d.*, m.bands, m.phash, m.sha256 FROM pod d JOIN pod_photo p ON p.pod_id = d.id"
        " JOIN picture_measure m USING (sha256) WHERE d.id = $1",
        pod,
    )
    plan = await core_db.rows(
        f"EXPLAIN ANALYZE {proof_checks.COPIES}",
        mine["sha256"],
        mine["bands"],
        f"{int.from_bytes(mine['phash']):0256b}",
        14,
        mine["fulfilment_id"],
        mine["recorded_at"],
        pod,
    )
    words = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "picture_measure_bands" in words, words
    print(words.splitlines()[-1])
