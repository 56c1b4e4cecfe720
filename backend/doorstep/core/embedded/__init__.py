"""PostgreSQL 18 and Redis out of the virtual environment, for the demo, the tests and development.

Owns two server processes and the folder their data lies in. Never used where `DATABASE_URL` and
`REDIS_URL` name real servers.
"""

from doorstep.core.embedded.postgres import EmbeddedPostgres
from doorstep.core.embedded.processes import EmbeddedFailed
from doorstep.core.embedded.redis import EmbeddedRedis
from doorstep.core.embedded.stack import EmbeddedStack, data_folder

__all__ = [
    "EmbeddedFailed",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "EmbeddedStack",
    "data_folder",
]
