"""Curves and spectrograms as SVG in the page, in its own colours and without a plotting library."""

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from markupsafe import Markup

from fxnorm.audio import sqrt_hann
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.reporting.figure_styles import (
    LOWEST_HZ,
    MEL_BANDS,
    MEL_FFT,
    MEL_HOP,
    MEL_RANGE_DB,
    TICKS_HZ,
    frequency_label,
)
from fxnorm.reporting.page.rendering import minus_signs, render

_WIDTH, _HEIGHT = 460, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 34
_INNER_WIDTH, _INNER_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
#: What lies lower is not heard beside the highest.
_SMALLEST_SPAN, _LARGEST_SPAN = 12.0, 60.0
_HIGHEST_HZ = 18_000.0

_COLUMNS = 700
_FRAMES_AT_ONCE = 16
#: The colour map "magma" (van der Walt and Smith, CC0) at equal steps, as RGB.
_MAGMA = np.array(
    [
        (0, 0, 4), (20, 14, 54), (59, 15, 112), (100, 26, 128), (140, 41, 129), (183, 55, 121),
        (222, 73, 104), (247, 112, 92), (254, 159, 109), (254, 207, 146), (252, 253, 191),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A curve over frequency."""

    label: str
    """In the legend."""
    frequencies_hz: np.ndarray
    """Increasing."""
    values: np.ndarray
    """As many as frequencies."""


@dataclass(frozen=True)
class _Tick:
    at: float
    text: str


def line_plot(lines: Sequence[Line], title: str) -> Markup:
    """Curves in dB over a logarithmic frequency axis.

    Args:
        lines: at most four, each in a colour of its own.
        title: what is drawn, also for those who can't see it.
    """
    shown = [_thinned(line) for line in lines]
    values = np.concatenate([line.values for line in shown])
    highest = float(values.max())
    low, high, step = _axis(max(float(values.min()), highest - _LARGEST_SPAN), highest)
    return _plot(
        title=title,
        unit="dB",
        legend=[line.label for line in shown],
        image=None,
        x_label="Hz",
        x_ticks=[_Tick(_x(hz), frequency_label(hz)) for hz in TICKS_HZ if hz < _HIGHEST_HZ],
        y_ticks=[
            _Tick(_y(value, low, high), minus_signs(f"{value:g}"))
            for value in np.arange(low, high + 0.5 * step, step)
        ],
        paths=[_svg_path(line, low, high) for line in shown],
    )


def mel_plots(signals: Mapping[str, np.ndarray]) -> list[Markup]:
    """Mel spectrograms in dB below the loudest value of them all.

    Args:
        signals: (samples, 2) at 44.1 kHz by label; the power is the mean over the channels.
    """
    powers = {label: mel_power(signal) for label, signal in signals.items()}
    loudest = max(float(power.max()) for power in powers.values()) or 1.0
    plots = []
    for label, power in powers.items():
        shade = 1.0 + 10.0 * np.log10(np.maximum(power, 1e-30) / loudest) / MEL_RANGE_DB
        seconds = len(signals[label]) / SAMPLE_RATE
        step = next(s for s in (0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 600) if seconds / s <= 8)
        plots.append(
            _plot(
                title=f"{label}: mel spectrogram",
                unit="Hz",
                legend=[],
                image=_png(_colored(np.clip(shade, 0.0, 1.0))),
                x_label="s",
                x_ticks=[
                    _Tick(_LEFT + _INNER_WIDTH * at / seconds, f"{at:g}")
                    for at in np.arange(0.0, seconds, step)
                ],
                y_ticks=[_Tick(_mel_y(hz), frequency_label(hz)) for hz in (200, 1000, 5000)],
                paths=[],
            )
        )
    return plots


def mel_power(signal: np.ndarray) -> np.ndarray:
    """Power in 128 mel bands (O'Shaughnessy's scale) per frame, (128, frames)."""
    filled = np.pad(signal, [(0, max(0, MEL_FFT - len(signal))), (0, 0)])
    frames = np.lib.stride_tricks.sliding_window_view(filled, MEL_FFT, axis=0)[::MEL_HOP]
    bank, window = _mel_bank(), sqrt_hann(MEL_FFT) ** 2
    bands = [
        bank @ power
        for first in range(0, len(frames), _FRAMES_AT_ONCE)
        for power in _power(frames[first : first + _FRAMES_AT_ONCE] * window)
    ]
    return np.stack(bands, axis=1)


def _power(frames: np.ndarray) -> np.ndarray:
    """(frames, channels, samples) to the power per bin, the mean over the channels."""
    power: np.ndarray = (np.abs(scipy.fft.rfft(frames)) ** 2).mean(axis=1)
    return power


def _mel_bank() -> np.ndarray:
    """Triangles of equal height over mel-spaced frequencies, (128, bins)."""
    edges = _from_mel(np.linspace(*_mel_range(), MEL_BANDS + 2))
    bins = np.fft.rfftfreq(MEL_FFT, 1.0 / SAMPLE_RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    return triangles


def _mel_range() -> tuple[float, float]:
    return float(_to_mel(LOWEST_HZ)), float(_to_mel(_HIGHEST_HZ))


def _to_mel(hz: "float | np.ndarray") -> np.ndarray:
    return 2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0)


def _from_mel(mel: np.ndarray) -> np.ndarray:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def _mel_y(hz: float) -> float:
    low, high = _mel_range()
    return _TOP + _INNER_HEIGHT * (1.0 - (float(_to_mel(hz)) - low) / (high - low))


def _colored(shade: np.ndarray) -> np.ndarray:
    """(bands, frames) from 0 to 1 as an image (bands, columns, 3), the lowest band below."""
    columns = np.linspace(0, shade.shape[1], min(_COLUMNS, shade.shape[1]), endpoint=False)
    at = shade[::-1, columns.astype(int)] * (len(_MAGMA) - 1)
    grid = np.arange(len(_MAGMA))
    return np.stack([np.interp(at, grid, _MAGMA[:, c]) for c in range(3)], axis=-1).astype(np.uint8)


def _png(image: np.ndarray) -> str:
    """A `data:` address of an image (rows, columns, 3) uint8."""
    rows, columns, _ = image.shape
    raw = b"".join(b"\0" + row.tobytes() for row in image)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(raw, 9)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _plot(**context: Any) -> Markup:
    frame = {"x": _LEFT, "y": _TOP, "width": _INNER_WIDTH, "height": _INNER_HEIGHT}
    return render("plot.html", width=_WIDTH, height=_HEIGHT, frame=frame, **context)


def _x(hz: float) -> float:
    share = np.log(hz / LOWEST_HZ) / np.log(_HIGHEST_HZ / LOWEST_HZ)
    return round(_LEFT + _INNER_WIDTH * float(share), 1)


def _y(value: float, low: float, high: float) -> float:
    return round(_TOP + _INNER_HEIGHT * (high - value) / (high - low), 1)


def _thinned(line: Line) -> Line:
    """160 points of a line within what is shown, evenly spaced in octaves."""
    grid = np.geomspace(LOWEST_HZ, min(_HIGHEST_HZ, float(line.frequencies_hz[-1])), 160)
    return Line(line.label, grid, np.interp(grid, line.frequencies_hz, line.values))


def _axis(low: float, high: float) -> tuple[float, float, float]:
    """Ends of an axis and the step of its ticks, all round numbers."""
    middle, span = 0.5 * (low + high), max(high - low, _SMALLEST_SPAN)
    step = next(s for s in (2, 3, 6, 10, 12, 20, 30, 60, 120) if span / s <= 6)
    first = step * np.floor((middle - 0.5 * span) / step)
    last = step * np.ceil((middle + 0.5 * span) / step)
    return float(first), float(last), float(step)


def _svg_path(line: Line, low: float, high: float) -> str:
    points = zip(line.frequencies_hz, np.maximum(line.values, low), strict=True)
    return "M" + "L".join(f"{_x(hz)} {_y(float(value), low, high)}" for hz, value in points)
