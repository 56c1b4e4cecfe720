"""tms owns carriers, shipments, pieces, manifests, scans, delivery runs and proofs of delivery.

A scan is not a move: it stores what was seen. It never moves the journey, never tells anybody and
never touches stock or money: flows do.
"""
