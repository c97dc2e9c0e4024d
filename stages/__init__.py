"""The pipeline's stages: parse params, call the library, log, write outputs."""

import os

# Before torch starts its threads: idle ones must sleep, not spin. On a machine that is busy with
# something else, spinning makes training several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
