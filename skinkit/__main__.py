"""`python -m skinkit` is the command `skinkit`."""

import sys

from skinkit.cli import main

sys.exit(main())
