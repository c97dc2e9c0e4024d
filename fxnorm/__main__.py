"""`python -m fxnorm`."""

import sys

from fxnorm.cli import run

sys.exit(run())
