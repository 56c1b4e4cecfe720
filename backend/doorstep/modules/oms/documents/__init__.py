"""The papers of an order: the invoice."""

from doorstep.modules.oms.documents.invoice import (
    InvoiceData,
    InvoiceLine,
    InvoicePayment,
    Party,
    TaxShare,
    render_invoice,
)

__all__ = [
    "InvoiceData",
    "InvoiceLine",
    "InvoicePayment",
    "Party",
    "TaxShare",
    "render_invoice",
]
