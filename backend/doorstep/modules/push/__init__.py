"""push owns how phones are told to look: subscriptions, one row per phone and news, its delivery.

It never decides that somebody is to be told: flows do. A push is a hint with a lane and no facts;
what there is to know comes by pull, whether or not a push has arrived.
"""
