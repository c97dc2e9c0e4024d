"""Audio effects: compressor, filters, convolution reverb."""

from fxnorm.audio.filters import high_pass, high_shelf, low_pass, low_shelf, peaking
from fxnorm.effects.compressor import compress
from fxnorm.effects.reverb import convolve

__all__ = ["compress", "convolve", "high_pass", "high_shelf", "low_pass", "low_shelf", "peaking"]
