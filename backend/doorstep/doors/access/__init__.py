"""How people and systems get in and are shut out: sign-in, enrolment, sessions, people.

Owns nothing: every rule and row is `core.auth`'s.
"""
