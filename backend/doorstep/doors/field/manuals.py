"""Technicians: how the goods of their visits are installed, kept by the phone as text.

A text of one page comes with the pull, so that it is there in any cellar; a file behind a link would be
there only where a browser has happened to keep it.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.modules.fsm.service import manuals

PRODUCTS = """
SELECT DISTINCT l.product_id
  FROM visit v
  JOIN fulfilment_line l ON l.fulfilment_id = v.fulfilment_id
  JOIN product p ON p.id = l.product_id AND p.needs_install
 WHERE v.technician_id = $1 AND v.state IN ('booked', 'started')
"""


class OwnManual(Struct):
    """How a product is installed, by language; `link` needs a network. `id` is the product's."""

    id: UUID
    sku: str
    texts: dict[str, str]
    link: str


@get(
    "/field/manuals",
    operation_id="listOwnManuals",
    opt=needs("fsm:report:write"),
    tags=["installation"],
)
async def list_own_manuals(actor: Actor) -> list[OwnManual]:
    """List the manuals of what the person is to install, each once however many visits need it."""
    products = [row["product_id"] for row in await db.rows(PRODUCTS, actor.person_id)]
    return msgspec.convert(await manuals.current_manuals(products), list[OwnManual])


handlers = [list_own_manuals]
"""The routes of this door."""
