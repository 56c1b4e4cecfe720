"""oms owns channels, the catalogue, orders, their lines and payment lines, and their documents.

It never counts stock, never moves the journey and never speaks to the shop.
"""
