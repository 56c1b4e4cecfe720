"""A customer who claims under his warranty on the page."""

from __future__ import annotations

import re
from typing import Any

import httpx

from doorstep.flows import care
from tests.factories.at_the_page import step, times_in
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.support.pictures import make_jpeg
from tests.support.visitor import OWN_PAGE, Form, Visitor, forms_of, words_of

CLAIM = "parcels/1/warranty"


async def done(company: Company) -> Order:
    """Have an order that is installed, with its certificates printed."""
    order = await standing(company, 1015)
    await care.issue_certificates({"fulfilment_id": str(order.parcel)})
    return order


async def send(visitor: Visitor, form: Form, photos: int = 0, **typed: Any) -> httpx.Response:
    files = [
        ("photos", (f"{n}.jpg", make_jpeg(320, 240 + n), "image/jpeg")) for n in range(photos)
    ] or [("photos", ("", b"", "application/octet-stream"))]
    return await visitor.http.post(
        form.action, data=form.fields | typed, files=files, headers=OWN_PAGE
    )


def pieces_in(page: str) -> list[str]:
    return re.findall(r'name="piece" value="([^"]+)"', page)


async def claimed(
    visitor: Visitor, address: str, *, photos: int = 0, start: str = "", nth: int = 0
) -> str:
    """Claim for a piece at the second free time, or another; return the chosen one."""
    page = await step(visitor, address, CLAIM)
    wished = start or times_in(page)[1]
    form = forms_of(page)["step"]
    said = {"piece": pieces_in(page)[nth], "words": "It <b>leaks</b>.", "start": wished}
    for _ in range(2):
        answer = await send(visitor, form, photos, **said)
        assert answer.status_code == 303, words_of(answer.text)
    return wished
