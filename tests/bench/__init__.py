"""The hot paths beside the limit of the database, measured in one run (`make bench`).

Machines differ and are noisy, so a figure is never an absolute time that must be met: it is a
ratio between the product and pgbench, which sends the very statements that the product sends, with
the very arguments, to a copy of the same database, in the same seconds. Both have eight clients
and durable commits. The targets stand in `report.TARGETS`.
"""
