"""`python -m fxnorm`."""

import sys

from fxnorm.cli import main

sys.exit(main())
