"""Procurement: vendors, what their goods cost us, purchase orders and the vendors' answers.

Owns vendor, vendor_product, purchase_order and po_line. Never knows a sales price, and never pays:
the tranches of a purchase order belong to finance.
"""
