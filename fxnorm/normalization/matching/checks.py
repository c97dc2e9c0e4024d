"""What the functions of normalisation refuse."""

import numpy as np

from fxnorm.conventions import LONG_TERM_BINS, SAMPLE_RATE
from fxnorm.errors import FxNormError


def require_finite(audio: np.ndarray) -> None:
    """Refuse audio with NaN or infinite samples."""
    if not np.isfinite(audio).all():
        raise FxNormError("the audio holds NaN or infinite samples; export it again")


def require_rate(sample_rate: int) -> None:
    """Refuse sample rates for which the data set's curves mean other frequencies."""
    if sample_rate != SAMPLE_RATE:
        raise FxNormError(
            f"sample rate {sample_rate} Hz: the data set's curves are for {SAMPLE_RATE} Hz;"
            " resample first, or use FxNormalizer, which does"
        )


def require_bins(curve: np.ndarray, name: str) -> None:
    """Refuse reference curves that are not those of long-term spectra."""
    if curve.shape != (LONG_TERM_BINS,):
        raise FxNormError(
            f"{name} reference has shape {curve.shape}; it must hold {LONG_TERM_BINS} bins"
        )
