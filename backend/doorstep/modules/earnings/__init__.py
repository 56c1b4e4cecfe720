"""earnings owns what finished work earns the person who did it: rates, lines and desks' decisions.

It says what was earned and pays nobody. It never decides which work is finished or counts: flows read
that from the captures and the desks' word on them, and hand it in.
"""
