"""tms owns carriers, shipments, pieces, manifests, scans, runs, proofs of delivery, and the fleet:
vehicles, crews, shifts and what becomes of a van that is down.

A scan is not a move: it stores what was seen. It never moves the journey, never tells anybody and
never touches stock or money: flows do.
"""
