"""What the measuring of pictures tells apart, on drawn doors; the figures are printed (A9).

False accepts and false rejects are of drawings, not of photos: they show that the rule works and
where its limits are, and the thresholds want calibrating on photos of doors.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from doorstep.core import picture_decode, pictures
from doorstep.core.picture_measure import Measure
from doorstep.modules.tms.rules.proofs import DEFAULT_THRESHOLDS
from doorstep.play.pictures import photo
from tests.support.pictures import draw_door, make_12mp_jpeg, to_jpeg

LIMITS = {name: one.value for name, one in DEFAULT_THRESHOLDS.items()}
OTHER = "DS999999995AE-1"
Change = Callable[[Image.Image], Image.Image]


def label(seed: int) -> str:
    return f"DS{seed:08d}7AE-1"


def through(image: Image.Image, quality: int = 85) -> Measure:
    """Measure what the server sees of a picture."""
    answer = picture_decode.derive(to_jpeg(image, quality))
    assert answer.measure is not None, answer.refusal
    return answer.measure


def sized(width: int) -> Change:
    return lambda image: image.resize(
        (width, width * image.height // image.width), Image.Resampling.LANCZOS
    )


def cut(share: float) -> Change:
    return lambda image: image.crop((
        int(share * image.width), int(share * image.height),
        int((1 - share) * image.width), int((1 - share) * image.height),
    ))  # fmt: skip


RECYCLED: dict[str, tuple[Change, int]] = {
    "quality 40": (lambda image: image, 40),
    "quality 20": (lambda image: image, 20),
    "half the size": (sized(800), 85),
    "640 px, quality 50": (sized(640), 50),
    "25 % brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.25), 85),
    "cropped by 0.5 %": (cut(0.005), 85),
    "cropped by 1 %": (cut(0.01), 85),
    "cropped by 5 %": (cut(0.05), 85),
    "turned by 2 degrees": (lambda image: image.rotate(2, fillcolor=(120, 120, 120)), 85),
    "turned by 90 degrees": (lambda image: image.transpose(Image.Transpose.ROTATE_90), 85),
    "mirrored": (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 85),
}
CAUGHT = ("quality 40", "quality 20", "half the size", "640 px, quality 50")
"""What must be caught; the rest is printed: it is known that a hash of this kind misses it."""


def bits_apart(one: Measure, other: Measure) -> int:
    return (int.from_bytes(one.phash) ^ int.from_bytes(other.phash)).bit_count()


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


def blurred(sigma: float) -> Change:
    """Blur as seen at the 640 pixels at which sharpness is measured."""
    return lambda image: image.filter(ImageFilter.GaussianBlur(sigma * image.width / 640))


def figures(seeds: range) -> dict[str, float]:
    """Measure drawn doors and what becomes of them; give shares of what was found."""
    found: dict[str, list[bool]] = defaultdict(list)
    sharp: dict[str, list[float]] = defaultdict(list)
    apart: dict[str, list[int]] = defaultdict(list)
    seen: list[Measure] = []
    for seed in seeds:
        door = draw_door(seed, label(seed))
        mine = through(door)
        seen.append(mine)
        found["label read"].append(label(seed) in mine.codes)
        found["misread"].append(any(code != label(seed) for code in mine.codes))
        sharp["sharp"].append(mine.sharpness)
        for sigma in (1, 2, 3, 4):
            soft = through(blurred(sigma)(door))
            sharp[f"blurred by {sigma}"].append(soft.sharpness)
            found[f"label read, blurred by {sigma}"].append(label(seed) in soft.codes)
        for level in (0.15, 0.25, 0.4):
            dim = through(ImageEnhance.Brightness(door).enhance(level))
            found[f"dark at {level}"].append(dark(dim))
        found["dark, falsely"].append(dark(mine))
        for name, (change, quality) in RECYCLED.items():
            apart[name].append(bits_apart(mine, through(change(door), quality)))
        for shift in (0.005, 0.01, 0.03):
            again = through(draw_door(seed, OTHER, shift=shift))
            apart[f"same door, camera moved by {shift:.1%}"].append(bits_apart(mine, again))
    apart["other doors"] = [
        bits_apart(one, other) for n, one in enumerate(seen) for other in seen[:n]
    ]
    report: dict[str, float] = {name: share(values) for name, values in found.items()}
    for name, scores in sharp.items():
        report[f"flagged as blurred: {name}"] = share(
            [score < LIMITS["sharpness_min"] for score in scores]
        )
        print(f"sharpness, {name}: {min(scores):.2f} to {max(scores):.2f},", end=" ")
        print(f"median {statistics.median(scores):.2f}")
    for name, bits in apart.items():
        report[f"failed as a copy: {name}"] = share([n <= LIMITS["copy_bits_failed"] for n in bits])
        report[f"flagged as a copy: {name}"] = share([n <= LIMITS["copy_bits_look"] for n in bits])
        print(f"bits, {name}: {min(bits)} to {max(bits)}, median {statistics.median(bits)}")
    print(
        f"{len(seeds)} doors, seeds {seeds.start} to {seeds.stop - 1}, {len(apart['other doors'])} pairs"
    )
    for name, value in report.items():
        print(f"{value:8.2%} {name}")
    return report


def dark(one: Measure) -> bool:
    return one.mean < LIMITS["mean_min"] or one.p95 < LIMITS["p95_min"]


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(100), marks=pytest.mark.soak)])
def test_the_figures_of_drawn_doors(seeds: range) -> None:
    report = figures(seeds)
    assert report["label read"] >= 0.97 and report["misread"] == 0
    assert report["flagged as blurred: blurred by 2"] >= 0.95
    assert report["flagged as blurred: sharp"] <= 0.05
    assert report["dark at 0.15"] == 1 and report["dark, falsely"] == 0
    for name in CAUGHT:
        assert report[f"failed as a copy: {name}"] >= 0.99, name
    assert report["failed as a copy: other doors"] <= 0.001
    assert report["failed as a copy: same door, camera moved by 0.5%"] <= 0.001


def test_hashes_that_differ_a_little_share_a_piece_of_the_index() -> None:
    mine = through(draw_door(1, size=(400, 300)))
    whole = int.from_bytes(mine.phash)
    spread = sum(1 << (16 * n) for n in range(15))
    near = (whole ^ spread).to_bytes(32)
    assert set(pictures.bands(mine.phash)) & set(pictures.bands(near))
    assert len({*pictures.bands(mine.phash)}) == 16


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 2000), (2000, 1)])
def test_the_smallest_pictures_are_measured_too(size: tuple[int, int]) -> None:
    assert through(Image.new("RGB", size, "white")).codes == []


def test_a_photo_of_12_megapixels_is_checked_within_a_quarter_of_a_second() -> None:
    data = make_12mp_jpeg()
    picture_decode.derive(data)
    began = time.process_time()
    picture_decode.derive(data)
    spent = time.process_time() - began
    print(f"decoded and measured in {spent * 1000:.0f} ms of CPU")
    assert spent < 5 * 0.25


def test_photos_of_the_play_show_their_label_and_no_two_are_alike() -> None:
    seen = [picture_decode.derive(photo(f"{n} delivery", label(n))).measure for n in range(12)]
    assert all(one is not None and one.codes == [label(n)] for n, one in enumerate(seen))
    bits = [bits_apart(a, b) for n, a in enumerate(seen) for b in seen[:n] if a and b]
    assert min(bits) > LIMITS["copy_bits_look"]


def test_a_large_photo_with_a_small_label_is_read_at_its_own_size() -> None:
    big = Image.new("RGB", (4000, 3000), (150, 140, 130))
    big.paste(draw_door(3, label(3), size=(900, 675)), (200, 300))
    out = BytesIO()
    big.save(out, "JPEG", quality=90)
    answer = picture_decode.derive(out.getvalue())
    assert answer.measure is not None and label(3) in answer.measure.codes
