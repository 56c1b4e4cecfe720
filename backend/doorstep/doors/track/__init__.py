"""The customer's door: one order through its secret link, and the check of a certificate.

Everybody may knock; the link itself is the right to see. A wrong, an expired and a revoked link
look the same.
"""
