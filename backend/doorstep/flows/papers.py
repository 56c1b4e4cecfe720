"""The printed papers of a parcel: label, packing slip, return form, invoice (SPEC P6, P9, P11).

What stands on them is read in one statement; rendering happens outside any transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import blobs, db
from doorstep.core.clock import now
from doorstep.core.money import Money
from doorstep.flows import door_money
from doorstep.modules.oms import documents as oms_papers
from doorstep.modules.oms import service as oms
from doorstep.modules.wms import documents as wms_papers
from doorstep.modules.wms.documents import Place
from doorstep.settings import settings

PDF = "application/pdf"

FACTS = """
SELECT f.order_id, o.number, o.language, o.currency, o.delivery_service,
       (o.placed_at AT TIME ZONE c.zone)::date AS placed_on,
       ($2::timestamptz AT TIME ZONE c.zone)::date AS today,
       o.subtotal_minor, o.tax_minor, o.discount_minor, o.shipping_minor, o.total_minor,
       c.country AS channel_country, c.tax_basis_points,
       l.name AS location_name, l.code AS location_code, l.city AS location_city,
       to_jsonb(a) AS address, coalesce(cu.phone, '') AS customer_phone,
       (SELECT jsonb_build_object('awb', s.awb, 'service', s.service, 'carrier', ca.name,
           'labels', (SELECT jsonb_object_agg(p.n, p.label_no) FROM piece p
                       WHERE p.shipment_id = s.id))
          FROM shipment s JOIN carrier ca ON ca.id = s.carrier_id
         WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
         ORDER BY s.attempt DESC LIMIT 1) AS shipment,
       (SELECT jsonb_agg(to_jsonb(k) || jsonb_build_object('goods', box_goods(k.id)) ORDER BY k.n)
          FROM package k WHERE k.fulfilment_id = f.id) AS packages,
       (SELECT jsonb_agg(jsonb_build_object('sku', p.sku,
                'name', coalesce(p.names ->> o.language, p.name), 'quantity', fl.quantity,
                'fragile', p.fragile, 'crew_size', p.crew_size, 'return_days', p.return_days,
                'packing_instruction', p.packing_instruction, 'accessories', p.accessories,
                'serials', coalesce((SELECT jsonb_agg(u.serial ORDER BY u.serial) FROM unit u
                                      WHERE u.fulfilment_line_id = fl.id), '[]'))
                ORDER BY ol.position)
          FROM fulfilment_line fl
          JOIN order_line ol ON ol.id = fl.order_line_id
          JOIN product p ON p.id = fl.product_id
         WHERE fl.fulfilment_id = f.id) AS lines,
       (SELECT jsonb_agg(to_jsonb(ol) || jsonb_build_object(
                'name', coalesce(p.names ->> o.language, ol.name)) ORDER BY ol.position)
          FROM order_line ol JOIN product p ON p.id = ol.product_id
         WHERE ol.order_id = o.id) AS order_lines,
       (SELECT jsonb_agg(to_jsonb(pl) ORDER BY pl.due, pl.id) FROM payment_line pl
         WHERE pl.order_id = o.id AND pl.state <> 'failed') AS payments
  FROM fulfilment f
  JOIN customer_order o ON o.id = f.order_id
  JOIN channel c ON c.id = o.channel_id
  JOIN address a ON a.id = o.address_id
  JOIN customer cu ON cu.id = o.customer_id
  LEFT JOIN location l ON l.id = f.location_id
 WHERE f.id = $1
"""

TAX_NAMES = {"IN": "GST"}
"""What a country calls its tax on sales; VAT elsewhere."""

Facts = dict[str, Any]


async def print_all(fulfilment_id: UUID) -> None:
    """Print a parcel's papers and attach them to its order; the invoice is the order's, once.

    Printing again replaces the references. A parcel that no carrier takes has no label.
    """
    facts = await db.one(FACTS, fulfilment_id, now())
    order_id: UUID = facts["order_id"]
    facts["due_minor"] = (await door_money.due_of(order_id, fulfilment_id)).minor
    papers: list[tuple[str, UUID | None, Callable[[Facts], bytes]]] = [
        ("packing_slip", fulfilment_id, packing_slip),
        ("return_form", fulfilment_id, return_form),
        ("invoice", None, invoice),
    ]
    if facts["shipment"]:
        papers.insert(0, ("label", fulfilment_id, label))
    for kind, of_fulfilment, draw in papers:
        sha256 = await blobs.put(await asyncio.to_thread(draw, facts), mime=PDF)
        await oms.add_document(order_id, of_fulfilment, kind, sha256, language=facts["language"])


def label(facts: Facts) -> bytes:
    """Print one label per piece: its number, weight and size, and what this parcel's courier takes."""
    shipment = facts["shipment"]
    due = facts["due_minor"]
    return wms_papers.render_label(
        wms_papers.LabelData(
            company=settings().company_name,
            carrier=shipment["carrier"],
            service=shipment["service"],
            awb=shipment["awb"],
            order_number=facts["number"],
            route_code=facts["address"]["city"][:24].upper(),
            sender=_sender(facts),
            receiver=_receiver(facts),
            pieces=[
                wms_papers.LabelPiece(
                    label_no=shipment["labels"][str(package["n"])],
                    weight_g=package["weight_g"],
                    length_mm=package["length_mm"],
                    width_mm=package["width_mm"],
                    height_mm=package["height_mm"],
                    contents=_contents(package, facts["lines"]),
                )
                for package in facts["packages"]
            ],
            cod=Money(due, facts["currency"]) if due else None,
            handling=_handling(facts["lines"]),
        )
    )


def _contents(package: dict[str, Any], lines: Iterable[dict[str, Any]]) -> str:
    """Write what is in a box; where nobody has said, what is in the whole parcel."""
    goods = [
        f"{one['quantity']} × {one['sku']}"
        + (f" {one['part']}/{one['parts']}" if one["parts"] > 1 else "")
        for one in package["goods"]
    ]
    whole = ", ".join(f"{line['quantity']} × {line['sku']}" for line in lines)
    return ", ".join(goods) or f"in the parcel: {whole}"


def _handling(lines: Iterable[dict[str, Any]]) -> list[str]:
    lines = list(lines)
    words = []
    if any(line["fragile"] for line in lines):
        words.append("FRAGILE")
    crew = max(line["crew_size"] for line in lines)
    if crew > 1:
        words.append(f"{crew} PERSONS")
    return words


def packing_slip(facts: Facts) -> bytes:
    """Print what lies in the boxes."""
    return wms_papers.render_packing_slip(
        wms_papers.PackingSlipData(
            language=facts["language"],
            company=settings().company_name,
            order_number=facts["number"],
            placed_on=facts["placed_on"],
            pieces=len(facts["packages"] or ()),
            sender=_sender(facts),
            receiver=_receiver(facts),
            lines=[
                wms_papers.PackingSlipLine(
                    sku=line["sku"],
                    name=line["name"],
                    quantity=line["quantity"],
                    serials=line["serials"],
                    accessories=[one["name"] for one in line["accessories"]],
                    packing_instruction=line["packing_instruction"],
                )
                for line in facts["lines"]
            ],
        )
    )


def return_form(facts: Facts) -> bytes:
    """Print the form that travels in the box."""
    return wms_papers.render_return_form(
        wms_papers.ReturnFormData(
            language=facts["language"],
            company=settings().company_name,
            order_number=facts["number"],
            customer_name=facts["address"]["name"],
            return_to=_sender(facts),
            # The tracking link is a secret that is not kept: this page has a new one sent.
            return_url=f"{settings().public_url.rstrip('/')}/t/returns/{facts['number']}",
            return_days=min(line["return_days"] for line in facts["lines"]),
            printed_on=facts["today"],
            lines=[
                wms_papers.ReturnFormLine(
                    sku=line["sku"],
                    name=line["name"],
                    quantity=line["quantity"],
                    serials=line["serials"],
                )
                for line in facts["lines"]
            ],
        )
    )


def invoice(facts: Facts) -> bytes:
    """Print the plain invoice of the whole order."""
    company = settings().company_name
    rate = f"{facts['tax_basis_points'] / 100:g}"
    tax = TAX_NAMES.get(facts["channel_country"], "VAT")
    issued_on: date = facts["today"]
    receiver = _receiver(facts)
    return oms_papers.render_invoice(
        oms_papers.InvoiceData(
            language=facts["language"],
            number=facts["number"].replace("DS-", "INV-"),
            issued_on=issued_on,
            order_number=facts["number"],
            company=company,
            seller=oms_papers.Party(name=company, lines=[facts["location_city"] or ""]),
            buyer=oms_papers.Party(name=receiver.name, lines=receiver.lines, phone=receiver.phone),
            receiver=None,
            currency=facts["currency"],
            lines=[_invoice_line(line, rate) for line in facts["order_lines"]],
            subtotal_minor=facts["subtotal_minor"],
            discount_minor=facts["discount_minor"],
            shipping_minor=facts["shipping_minor"],
            taxes=[oms_papers.TaxShare(name=tax, rate=rate, amount_minor=facts["tax_minor"])],
            total_minor=facts["total_minor"],
            payments=[
                oms_papers.InvoicePayment(
                    method=line["method"],
                    amount_minor=line["amount_minor"],
                    paid=line["captured_minor"] == line["amount_minor"],
                )
                for line in facts["payments"] or ()
            ],
        )
    )


def _invoice_line(line: dict[str, Any], rate: str) -> oms_papers.InvoiceLine:
    wanted = {name: line[name] for name in oms_papers.InvoiceLine.__struct_fields__ if name in line}
    tax_rate = rate if line["tax_minor"] else ""
    return msgspec.convert(wanted | {"tax_rate": tax_rate}, oms_papers.InvoiceLine)


def _sender(facts: Facts) -> Place:
    lines = [facts["location_code"] or "", facts["location_city"] or ""]
    name = facts["location_name"] or settings().company_name
    return Place(name=name, lines=[line for line in lines if line])


def _receiver(facts: Facts) -> Place:
    address = facts["address"]
    flat = " · ".join(filter(None, (address["flat"], address["floor"], address["building"])))
    town = " ".join(filter(None, (address["postcode"], address["city"], address["region"])))
    lines = [flat, address["line1"], address["area"], town, address["country"]]
    phone = address["phone"] or facts["customer_phone"]
    return Place(name=address["name"], lines=[line for line in lines if line], phone=phone)
