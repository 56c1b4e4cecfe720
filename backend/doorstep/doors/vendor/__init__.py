"""The vendors' portal: their purchase orders, their answers, what they are paid.

Every read runs as `doorstep_vendor` under row level security (core/tenant.py).
"""
