"""Mel spectrograms of excerpts."""

from collections.abc import Mapping

import librosa
import librosa.display
import numpy as np
from matplotlib.figure import Figure

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError
from fxnorm.reporting.figure_styles import LOWEST_HZ, MEL_BANDS, MEL_FFT, MEL_HOP, MEL_RANGE_DB

_WIDTH, _HEIGHT = 9.4, 2.5
_HIGHEST_HZ = 16_000.0
_TICKS_HZ = (200, 500, 1000, 2000, 5000, 10_000)


def mel_spectrograms(mixes: Mapping[str, np.ndarray]) -> Figure:
    """Mel spectrograms side by side, in dB relative to the highest level of them all.

    Args:
        mixes: (samples, channels) at 44.1 kHz by label; the power is the mean over the channels.

    Raises:
        FxNormError: librosa, which loads its parts at their first use, has no folder to keep
            compiled code in.
    """
    try:
        return _spectrogram_figure(mixes)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        raise FxNormError(
            "no folder can be written for compiled code; set NUMBA_CACHE_DIR to one"
        ) from error


def _spectrogram_figure(mixes: Mapping[str, np.ndarray]) -> Figure:
    powers = {
        label: librosa.feature.melspectrogram(
            y=np.ascontiguousarray(audio.T),
            sr=SAMPLE_RATE,
            n_fft=MEL_FFT,
            hop_length=MEL_HOP,
            n_mels=MEL_BANDS,
            fmin=LOWEST_HZ,
            fmax=_HIGHEST_HZ,
        ).mean(axis=0)
        for label, audio in mixes.items()
    }
    loudest = max(float(power.max()) for power in powers.values())
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axes = figure.subplots(1, len(mixes), sharey=True, squeeze=False)[0]
    for axis, (label, power) in zip(axes, powers.items(), strict=True):
        image = librosa.display.specshow(
            librosa.power_to_db(power, ref=loudest, top_db=None),
            sr=SAMPLE_RATE,
            hop_length=MEL_HOP,
            x_axis="time",
            y_axis="mel",
            fmin=LOWEST_HZ,
            fmax=_HIGHEST_HZ,
            vmin=-MEL_RANGE_DB,
            vmax=0.0,
            cmap="magma",
            rasterized=True,
            ax=axis,
        )
        axis.set_title(label, fontsize=10)
        axis.set_xlabel("time (s)")
        axis.set_ylabel("")
    axes[0].set_ylabel("frequency (Hz)")
    axes[0].set_yticks(_TICKS_HZ, [str(tick) for tick in _TICKS_HZ])
    figure.colorbar(image, ax=axes, label="level (dB)", pad=0.01)
    return figure
