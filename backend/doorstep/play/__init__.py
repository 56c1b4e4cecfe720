"""Plays orders over HTTP as the people who do the work: the demo's one, the simulator's many.

Knows Doorstep only through its API and the sandbox's controls, and the sample people of the seed.
"""

from doorstep.play.demo import DemoResult, play_demo
from doorstep.play.open_jobs import leave_jobs
from doorstep.play.simulation import SimulationResult, simulate

__all__ = ["DemoResult", "SimulationResult", "leave_jobs", "play_demo", "simulate"]
