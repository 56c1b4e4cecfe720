"""People, their devices and sessions, and who may do what.

Owns `person, device, enrolment_code, session, session_token`. Never knows what an order is, except
for the SQL of `scope`, which names the columns by which rows belong to somebody.
"""
