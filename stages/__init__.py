"""The pipeline's stages: parse params, call the library, log, write outputs."""

import os

# Before torch starts its threads. At the default scale one thread is as fast as two, and a second
# one that waits in vain makes training up to six times slower on a machine that is busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
