"""A pretend outside world over real HTTP: shop, payment gateway, carrier, bank, messaging.

It speaks as the vendors do, fails on demand (`POST /_faults`), and remembers in SQLite what it did,
so that a test can ask the bank how often it paid. It knows nothing of Doorstep but its webhooks'
addresses and secrets.
"""
