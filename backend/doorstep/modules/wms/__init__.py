"""wms owns locations, stock and its movements, reservations, serial units and the warehouse floor.

It never knows prices, payments or carriers, and never moves the journey.
"""
