"""Small models of what must be true, written from SPEC and DESIGN without looking at the code.

They know nothing of databases, locks or hashes; the state machines of tests/chaos compare the real
thing with them after every step.
"""
