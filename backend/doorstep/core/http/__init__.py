"""The edge of HTTP: errors as problem+json, security headers, request ids, limits of the body.

Owns how answers look from outside. Never decides who may do what; that is `core.auth`.
"""
