"""Who is at the page of a warranty that was given on: its new owner, by a link of his own.

It opens his warranty and nothing else of the order. Cookies and sessions are those of `links`.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.http.origin import refuse_other_origins
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.track import links

# $1 hash of the token, $2 now, $3 hash of the session's token or NULL. Only what is his still.
LINK = """
SELECT w.number, link.order_id, link.owner_n, w.fulfilment_id, w.ends_on, w.certificate_sha256,
       p.name AS goods, p.names, o.language, h.zone, EXISTS (
         SELECT FROM link_session s
          WHERE s.session_hash = $3 AND s.token_hash = link.token_hash AND s.ended_at IS NULL
            AND s.expires_at > $2) AS signed_in
  FROM order_link link
  JOIN warranty w ON w.order_id = link.order_id AND w.owner_n = link.owner_n AND w.state = 'active'
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = link.order_id
  JOIN channel h ON h.id = o.channel_id
 WHERE link.token_hash = $1 AND link.owner_n > 0 AND link.revoked_at IS NULL AND link.expires_at > $2
"""


class OwnerLink(Struct, frozen=True, kw_only=True):
    """A warranty behind its owner's link: `number` is the certificate's."""

    token_hash: bytes
    number: str
    order_id: UUID
    owner_n: int
    fulfilment_id: UUID
    ends_on: date
    certificate_sha256: str
    goods: str
    names: dict[str, str]
    """What the goods are called, by language; `goods` where none is given."""

    language: str
    zone: str
    signed_in: bool


async def by_token(request: Request[Any, Any, Any], token: str) -> OwnerLink:
    """Find the warranty that a link opens.

    Raises: LinkNotValid, TooManyRequests.
    """
    return OwnerLink(**await links.behind(request, LINK, token))


async def by_cookie(request: Request[Any, Any, Any], number: str) -> OwnerLink:
    """Find the warranty of this address by the cookie of the same number, and no other.

    Raises: LinkNotValid, TooManyRequests.
    """
    return OwnerLink(**await links.behind_cookie(request, LINK, number))


async def own(request: Request[Any, Any, Any], number: str) -> OwnerLink:
    """Find the warranty of a form's address, for a form of ours.

    Raises: SentFromElsewhere, LinkNotValid, TooManyRequests.
    """
    refuse_other_origins(request)
    return await by_cookie(request, number)


async def signed_in(request: Request[Any, Any, Any], number: str) -> OwnerLink:
    """Find the warranty of this address for an owner who has typed the code from his phone.

    Raises: LinkNotValid, TooManyRequests, CodeNeeded.
    """
    link = await by_cookie(request, number)
    if not link.signed_in:
        raise links.CodeNeeded(language=link.language)
    return link


async def own_signed_in(request: Request[Any, Any, Any], number: str) -> OwnerLink:
    """Find the warranty of a form of ours, for an owner who has typed the code from his phone.

    Raises: SentFromElsewhere, LinkNotValid, TooManyRequests, CodeNeeded.
    """
    refuse_other_origins(request)
    return await signed_in(request, number)


def owner(link: OwnerLink) -> Actor:
    """Act for the order of the warranty; what is done by it names the owner beside."""
    return Actor(
        role="customer", source="person", order_id=link.order_id, request_id=REQUEST_ID.get()
    )
