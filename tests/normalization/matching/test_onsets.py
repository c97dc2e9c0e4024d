"""The onset detector against aubio's own results and a slow second implementation."""

import json
import math
from pathlib import Path

import numpy as np
import onset_signals
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.normalization import detect_onsets, mean_peak
from fxnorm.normalization.matching.onsets import onsets_from_descriptor, segment_peaks_db

SAMPLE_RATE = 44_100
CASES = json.loads((Path(__file__).parent / "golden" / "onsets.json").read_text())["public"]
single = np.float32


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_onsets_are_aubio_s(case: dict) -> None:
    x = onset_signals.make(case["recipe"], case["seed"])
    assert onset_signals.sha256_of(x) == case["sha256"]
    for channel in range(x.shape[1]):
        onsets = detect_onsets(x[:, channel], case["sr"])
        assert onsets.tolist() == case["onsets"][channel]
        if len(onsets):
            peaks = np.abs(x[case["peak_samples"][channel], channel]).astype(float)
            levels = segment_peaks_db(np.ascontiguousarray(x[:, channel]), onsets)
            np.testing.assert_allclose(levels, 20 * np.log10(peaks + 1e-30), atol=1e-9)
    result = mean_peak(x, case["sr"])
    if case["mean_peak"] is None:
        assert result is None
    else:
        # 1e-6 dB: the golden values' own precision; level arithmetic is double.
        np.testing.assert_allclose(result, case["mean_peak"], atol=1e-6)


def signal_a() -> np.ndarray:
    x = np.array([0.001 * (-1) ** n for n in range(20 * 1024)], np.float32)
    x[10 * 1024 + 512] = 0.5
    return x


@pytest.mark.parametrize(
    ("leading", "expected"),
    [
        (0, [0, 8976]),
        (1, [203, 8976]),
        (2, [3072, 8976]),
        (3, [3072, 8976]),
        (4, [4096, 8976]),
        (5, [4299, 8976]),
        (6, [5323, 8974]),
        (7, [6347, 8970]),
    ],
)
def test_silent_frames_at_the_start_decide_the_first_onset(leading: int, expected: list) -> None:
    x = signal_a()
    x[: leading * 1024] = 0.0
    assert detect_onsets(x, SAMPLE_RATE).tolist() == expected


@pytest.mark.parametrize(("end", "expected"), [(12, [0]), (13, [0, 8976])])
def test_an_event_must_be_followed_by_sound(end: int, expected: list) -> None:
    x = signal_a()
    x[end * 1024 :] = 0.0
    assert detect_onsets(x, SAMPLE_RATE).tolist() == expected


def test_a_single_onset_gives_its_level_and_no_deviation() -> None:
    x = signal_a()[: 9 * 1024]
    assert detect_onsets(x, SAMPLE_RATE).tolist() == [0]
    assert mean_peak(x, SAMPLE_RATE) == pytest.approx((-60.0, 0.0), abs=1e-6)


def test_no_onset_in_one_channel_gives_none() -> None:
    x = signal_a()
    assert mean_peak(np.stack([x, np.zeros_like(x)], axis=1), SAMPLE_RATE) is None
    assert mean_peak(np.zeros((5000, 1), np.float32), SAMPLE_RATE) is None


@settings(max_examples=30, deadline=None)
@given(
    samples=st.integers(0, 40_000),
    sample_rate=st.sampled_from([22_050, 44_100, 48_000]),
    level_db=st.floats(-90, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_positions_increase_and_keep_their_distance(
    samples: int, sample_rate: int, level_db: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(samples) * 10 ** (level_db / 20)
    x *= 10 ** (rng.uniform(-3, 0, samples // 1500 + 1))[np.arange(samples) // 1500]
    onsets = detect_onsets(x.astype(np.float32), sample_rate)
    assert (onsets >= 0).all()
    assert (onsets < max(1, samples)).all()
    assert (np.diff(onsets) > math.floor(single(0.05) * single(sample_rate) + 0.5)).all()


def test_other_audio_agrees_with_a_slow_implementation() -> None:
    """Equal counts, and at most 0.2 % of positions off by one sample: what the rounding inside a
    single-precision transform can move."""
    total = moved = 0
    for index, recipe in enumerate(sorted(onset_signals.RECIPES)):
        for seed in (40 + index, 90 + index):
            x = onset_signals.make(recipe, seed)[: 4 * SAMPLE_RATE, 0].copy()
            ours, slow = detect_onsets(x, SAMPLE_RATE), slow_onsets(x, SAMPLE_RATE)
            assert len(ours) == len(slow)
            assert np.abs(ours - slow).max(initial=0) <= 1
            total += len(slow)
            moved += int((ours != slow).sum())
    assert total > 150
    assert moved <= math.ceil(0.002 * total)


def slow_onsets(x: np.ndarray, sample_rate: int) -> list[int]:
    """The detector once more, frame by frame, transformed in double."""
    n = np.arange(1024)
    phase = (2 * np.pi * n / 1024).astype(single)
    window = (0.5 * (1 - np.cos(phase))).astype(single)
    interval = math.floor(single(single(single(0.05) * single(sample_rate)) + single(0.5)))
    past, z = np.zeros(7, single), [single(0.0)] * 3
    last, onsets = 0, []
    for t in range(len(x) // 1024):
        frame = x[t * 1024 : (t + 1) * 1024]
        magnitude = np.abs(np.fft.rfft((frame * window).astype(single).astype(float)))
        logs = np.log((magnitude.astype(single) + single(1)).astype(single)).astype(single)
        terms = (np.arange(1, 514).astype(single) * logs).astype(single)
        past = np.append(past[1:], np.add.accumulate(terms, dtype=single)[-1])
        smooth = _slow_filter(_slow_filter(past)[::-1])[::-1]
        mean = np.add.accumulate(smooth, dtype=single)[-1] / single(7)
        lifted = single(smooth[5] - np.sort(smooth)[3]) - single(mean * single(0.058))
        z = [z[1], z[2], single(lifted)]
        start, peak = t * 1024, z[1] > z[0] and z[1] > z[2] and z[1] > 0
        energy = np.add.accumulate((frame * frame).astype(single), dtype=single)[-1] / single(1024)
        silent = energy == 0 or single(10) * np.log10(energy) < -70
        if peak:
            shift = single(1) + single(0.5) * (z[0] - z[2]) / ((z[0] - single(2) * z[1]) + z[2])
            new = start + math.floor(single(shift * single(1024) + single(0.5)))
            if not silent and last + interval < new:
                last = max(4403, new)
                onsets.append(last - 4403)
        elif start <= 4403 and not silent and (start == 0 or last + interval < start):
            last = start + 4403
            onsets.append(start)
    return onsets


def _slow_filter(values: np.ndarray) -> np.ndarray:
    u1 = u2 = y1 = 0.0
    out = []
    for u in values.astype(float):
        y = 0.15998789 * u + 0.31997577 * u1 - 0.23484048 * y1 + 0.15998789 * u2
        u1, u2, y1 = u, u1, y
        out.append(y)
    return np.array(out, single)


def test_steady_descriptors_hold_no_peak() -> None:
    """The smoother's attenuated ends keep the newest value below the median."""
    x = np.full(30 * 1024, 0.1, np.float32)
    onsets = onsets_from_descriptor(x, np.full(30, 100.0, np.float32), SAMPLE_RATE)
    assert onsets.tolist() == [0]
