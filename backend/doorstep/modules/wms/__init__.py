"""wms owns locations, stock and its movements, reservations, serial units and the warehouse floor:
picking, receiving, adjustments, counts and the end of a shift.

It never knows prices, payments or carriers, and never moves the journey.
"""
