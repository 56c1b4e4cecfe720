"""Strikes a whole Doorstep with faults while orders run, then counts what is left (`doorstep chaos`).

`arena` starts a stack of its own, its connections to PostgreSQL and Redis going through a `proxy`;
`faults` says what can strike and plans it by a seed; `reckoning` proves that nothing was lost or
done twice; `run` puts them together. Nothing that belongs to anybody else is touched.
"""

from doorstep.chaos.run import ChaosResult, run

__all__ = ["ChaosResult", "run"]
