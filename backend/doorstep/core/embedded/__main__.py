"""The embedded stack from the outside.

`python -m doorstep.core.embedded remove`: stop the servers and delete their data.
`python -m doorstep.core.embedded janitor FOLDER`: stop them once no command uses them.
"""

import os
import sys
from pathlib import Path

from doorstep.core.embedded import EmbeddedStack

match sys.argv[1:]:
    case ["remove"]:
        EmbeddedStack().remove()
    case ["janitor", folder]:
        # The starter waits for the first process only; the second belongs to nobody.
        if os.fork() == 0:
            EmbeddedStack(Path(folder)).wait_for_the_last()
    case _:
        raise SystemExit(__doc__)
