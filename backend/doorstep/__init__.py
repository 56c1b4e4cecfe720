"""Doorstep executes e-commerce orders for goods that must be delivered and installed."""
