"""Mel spectrograms of excerpts."""

from collections.abc import Mapping

import librosa
import librosa.display
import numpy as np
from matplotlib.figure import Figure

from fxnorm.errors import FxNormError

_WIDTH, _HEIGHT = 9.4, 2.5
_N_FFT, _HOP, _MELS = 4096, 1024, 128
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0
_TICKS_HZ = (200, 500, 1000, 2000, 5000, 10_000)
_RANGE_DB = 70.0


def mel_spectrograms(mixes: Mapping[str, np.ndarray], sample_rate: int) -> Figure:
    """Mel spectrograms side by side, in dB relative to the highest level of them all.

    Args:
        mixes: (samples, channels) by label; the power is the mean over the channels.
        sample_rate: in Hz.

    Raises:
        FxNormError: librosa, which loads its parts at their first use, has no folder to keep
            compiled code in.
    """
    try:
        return _spectrogram_figure(mixes, sample_rate)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        raise FxNormError(
            "no folder can be written for compiled code; set NUMBA_CACHE_DIR to one"
        ) from error


def _spectrogram_figure(mixes: Mapping[str, np.ndarray], sample_rate: int) -> Figure:
    highest_hz = min(_HIGHEST_HZ, sample_rate / 2)
    powers = {
        label: librosa.feature.melspectrogram(
            y=np.ascontiguousarray(audio.T),
            sr=sample_rate,
            n_fft=_N_FFT,
            hop_length=_HOP,
            n_mels=_MELS,
            fmin=_LOWEST_HZ,
            fmax=highest_hz,
        ).mean(axis=0)
        for label, audio in mixes.items()
    }
    loudest = max(float(power.max()) for power in powers.values())
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axes = figure.subplots(1, len(mixes), sharey=True, squeeze=False)[0]
    for axis, (label, power) in zip(axes, powers.items(), strict=True):
        image = librosa.display.specshow(
            librosa.power_to_db(power, ref=loudest, top_db=None),
            sr=sample_rate,
            hop_length=_HOP,
            x_axis="time",
            y_axis="mel",
            fmin=_LOWEST_HZ,
            fmax=highest_hz,
            vmin=-_RANGE_DB,
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
