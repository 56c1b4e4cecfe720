"""The customer reports damage or a missing part, with photos (J1014, M8).

The detour stops what must not go on, and a ticket carries words and photos to whoever decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from doorstep import journey
from doorstep.core import blobs, db, media, pictures
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid
from doorstep.core.uploads import MAX_LENGTH, UploadTooLong
from doorstep.flows import detours
from doorstep.flows.tickets import open_ticket
from doorstep.modules.helpdesk.service.tickets import TicketType

MOST_PHOTOS = 6

Kind = Literal["hidden_damage", "part_missing"]

TICKETS: dict[Kind, tuple[TicketType, str]] = {
    "hidden_damage": ("damage", "The customer reports damage"),
    "part_missing": ("missing_part", "The customer misses a part"),
}


class TooManyPhotos(Invalid):
    title = "At most six photos can be sent with one report."


async def keep_photo(data: bytes) -> str:
    """Keep a customer's photo, once however often it is sent; return its sha256.

    It is decoded before anybody sees it, and shown only as what was made from it (IA6).

    Raises: UploadTooLong; FileIsNoPicture, PictureTooLarge, PictureDamaged; StoreUnavailable.
    """
    if len(data) > MAX_LENGTH:
        raise UploadTooLong
    mime = media.sniff(data)
    if mime not in media.PICTURES:
        raise pictures.FileIsNoPicture
    sha256 = await blobs.put(data, mime=mime)
    await pictures.derive(sha256)
    return sha256


@db.transactional
async def report(
    fulfilment_id: UUID,
    event_id: UUID,
    kind: Kind,
    *,
    words: str,
    lines: Sequence[journey.Quantity] = (),
    photos: Sequence[str] = (),
    actor: Actor,
) -> journey.Answer:
    """Open the detour of what is damaged or missing, and a ticket with words and photos; once.

    `photos` are what `keep_photo` has returned; without `lines` the whole parcel is meant.

    Raises: NotFound; TooManyPhotos; LineNotOfParcel; the engine's refusals, DetourNotPossible before the
    delivery among them.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if len(photos) > MOST_PHOTOS:
        raise TooManyPhotos
    fulfilment = await journey.lock(fulfilment_id)
    await detours.check_lines(fulfilment_id, lines)
    answer = await journey.open_detour(
        event_id,
        fulfilment_id,
        kind,
        actor=actor,
        detail=words,
        lines=lines,
        evidence=[journey.Evidence("photo", f"customer-{n}", sha) for n, sha in enumerate(photos)],
    )
    if answer.verdict is journey.Verdict.APPLIED:
        ticket_type, title = TICKETS[kind]
        await open_ticket(
            ticket_type,
            title,
            words,
            actor=Actor.system("customer_reports", request_id=actor.request_id),
            event_id=event_id,
            order_id=fulfilment["order_id"],
            fulfilment_id=fulfilment_id,
            photos=photos,
        )
    return answer
