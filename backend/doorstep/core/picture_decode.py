"""The child process that decodes pictures of strangers: little memory, little time, no secrets.

Run as `python -m doorstep.core.picture_decode`; one frame in, one frame out, until its input ends.
A frame is a length of 4 bytes, big-endian, and that many bytes: the picture on the way in, a
msgpack `Answer` on the way out. Its parent is `picture_child`.
"""

from __future__ import annotations

import resource
import signal
import sys
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

import msgspec
from PIL import Image

from doorstep.core import media, picture_measure
from doorstep.core.picture_measure import Measure

MAX_PIXELS = 40_000_000
MEMORY = 1024 * 1024 * 1024
SECONDS = 15.0
SIZES = {"large": 1600, "thumbnail": 320}
"""Longest side of each derivative, in pixels; the larger ones come first."""

QUALITY = 80
ORIENTATION = 0x0112
WHITE = (255, 255, 255, 255)
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Derivative(msgspec.Struct, frozen=True):
    """A smaller upright JPEG made from an upload."""

    name: str
    width: int
    height: int
    data: bytes


class Answer(msgspec.Struct):
    """Either derivatives and measure, or why none: `not_a_picture`, `too_large`, `animated`, `damaged`."""

    derivatives: list[Derivative] = []
    measure: Measure | None = None
    refusal: str = ""
    detail: str = ""


def derive(data: bytes) -> Answer:
    """Make the derivatives of a picture, without any of its metadata."""
    return opened(data, lambda image, kind: _derived(image, data, kind))


def opened(data: bytes, work: Callable[[Image.Image, str], Answer]) -> Answer:
    """Give what `work` makes of an image and the name of its format, or why there is nothing."""
    mime = media.sniff(data)
    if mime not in FORMATS:
        return Answer(refusal="not_a_picture", detail=mime)
    try:
        with Image.open(BytesIO(data), formats=(FORMATS[mime],)) as image:
            if image.width * image.height > MAX_PIXELS:
                return Answer(refusal="too_large", detail=f"{image.width}x{image.height}")
            return work(image, FORMATS[mime])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        return Answer(refusal="too_large", detail=str(bomb))
    except MemoryError:
        return Answer(refusal="too_large", detail="It needs more memory than a picture may.")
    except Exception as broken:
        # Decoders of three formats raise nearly everything on broken input; all mean the same.
        return Answer(refusal="damaged", detail=f"{type(broken).__name__}: {broken}"[:300])


def _derived(image: Image.Image, data: bytes, kind: str) -> Answer:
    size = image.size
    derivatives, large = _derivatives(image)
    codes = picture_measure.read_codes(large)
    if not codes and max(size) > max(large.size):
        codes = picture_measure.read_codes(_larger(data, kind))
    return Answer(derivatives, picture_measure.measure(large, codes))


def _derivatives(image: Image.Image) -> tuple[list[Derivative], Image.Image]:
    """Make the derivatives; give them and the upright large one, to be measured."""
    turn = TURNS.get(orientation_of(image))
    # A JPEG is decoded straight to a half, quarter or eighth; asking for a square would not do it.
    image.draft("RGB", _fitted(image.size, SIZES["large"]))
    image.load()
    small = true_colour(image)
    made = []
    large = small
    for name, side in SIZES.items():
        if max(small.size) > side:
            small = small.resize(_fitted(small.size, side), Image.Resampling.BICUBIC)
        if small.mode == "RGBA":
            small = on_paper(small)
        if turn is not None:
            small, turn = small.transpose(turn), None
        small.info = {}
        out = BytesIO()
        small.save(out, "JPEG", quality=QUALITY)
        made.append(Derivative(name, small.width, small.height, out.getvalue()))
        large = small if len(made) == 1 else large
    return made, large


def _larger(data: bytes, kind: str) -> Image.Image:
    """Decode once more, for small barcodes; how much that may cost is bounded too."""
    with Image.open(BytesIO(data), formats=(kind,)) as image:
        image.draft("L", _fitted(image.size, picture_measure.READ_AT))
        image.load()
        grey = image.convert("L")
    if max(grey.size) > picture_measure.READ_AT:
        grey = grey.resize(_fitted(grey.size, picture_measure.READ_AT), Image.Resampling.BICUBIC)
    return grey


def orientation_of(image: Image.Image) -> int:
    """Read how the phone was held; metadata that cannot be read never refuses a photo."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        return 1


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def true_colour(image: Image.Image) -> Image.Image:
    """Give an image as RGB, or as RGBA where something of it is transparent."""
    if image.mode in {"RGB", "RGBA"}:
        return image
    transparent = image.mode in {"LA", "PA"} or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def on_paper(image: Image.Image) -> Image.Image:
    """Lay a transparent image on white paper."""
    paper = Image.new("RGBA", image.size, WHITE)
    paper.alpha_composite(image)
    return paper.convert("RGB")


def limit_this_process() -> None:
    """Give this process a memory limit; everything it might warn of becomes an error."""
    warnings.simplefilter("error")
    # For our three formats this module reads metadata only, and that is thrown away: a phone that
    # writes broken EXIF still has a good photo.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS knows the limit by name but refuses to set it.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def serve(requests: BinaryIO, answers: BinaryIO, work: Callable[[bytes], Answer] = derive) -> None:
    """Answer picture by picture until the input ends, as it does when the parent is gone."""
    while len(head := requests.read(4)) == 4:
        data = requests.read(int.from_bytes(head))
        # The default action of the alarm ends the process, also in the middle of a C function.
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        answer = msgspec.msgpack.encode(work(data))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


if __name__ == "__main__":
    limit_this_process()
    serve(sys.stdin.buffer, sys.stdout.buffer)
