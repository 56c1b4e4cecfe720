"""A warranty is given to a new owner on the page, who opens his own."""

from __future__ import annotations

import re

from doorstep.core import db as core_db
from doorstep.flows import warranty_transfers
from tests.factories.at_the_page import at_page
from tests.factories.claiming import pieces_in
from tests.factories.journeys import Order
from tests.support.visitor import Visitor, forms_of, words_of

NAME, PHONE = "Farida Noor", "+971501112233"
TRANSFER = "parcels/1/transfer"
PLACE = "9 Palm Street\nTower 2, flat 51\nSharjah"


async def secret_of(event: str, phone: str = PHONE) -> str:
    """Read what the new owner was sent last, where it waits to be sent."""
    [row] = await core_db.rows(
        "SELECT secret FROM message WHERE event = $1 AND recipient = $2 AND secret IS NOT NULL"
        " ORDER BY attempt DESC LIMIT 1",
        event,
        phone,
    )
    return str(row["secret"])


async def asked(visitor: Visitor, address: str) -> tuple[str, str]:
    """Name the new owner of the first piece; return the page that asks for his code, and the piece."""
    page = await visitor.read(f"{address}/{TRANSFER}")
    piece = pieces_in(page)[0]
    answer = await visitor.send(forms_of(page)["step"], piece=piece, name=NAME, phone=PHONE)
    assert answer.status_code in (200, 201), words_of(answer.text)
    return answer.text, piece


async def given(visitor: Visitor, order: Order, at: str = "") -> tuple[str, str]:
    """Give the first piece away; return the old owner's address of the order and the piece.

    `at`: that address, where he has signed in already.
    """
    address = at or await at_page(visitor, order)
    page, piece = await asked(visitor, address)
    code = await secret_of("warranty_transfer")
    after = await visitor.do(forms_of(page)["code"], code=code)
    assert "The warranty belongs to the new owner now." in words_of(after)
    warranty_id = await core_db.value("SELECT id FROM warranty WHERE number = $1", piece)
    for _ in range(2):
        await warranty_transfers.print_for_new_owner({"warranty_id": str(warranty_id)})
    return address, piece


async def owner_opens(owner: Visitor, event: str = "warranty_yours") -> str:
    """Open the new owner's link as a browser does; return the address of his page."""
    link = await secret_of(event)
    sent_on = await owner.http.get("/t/warranties/" + link.rsplit("/", 1)[1])
    assert sent_on.status_code == 303, sent_on.text
    address = str(sent_on.headers["location"])
    assert re.fullmatch(r"/t/owners/WR-\w+", address)
    return address


async def owner_signs_in(owner: Visitor, address: str) -> str:
    """Have a code sent to the new owner and type it; return the page after it."""
    page = await owner.do(forms_of(await owner.read(address))["ask"])
    return await owner.do(forms_of(page)["in"], code=await secret_of("owner_code"))
