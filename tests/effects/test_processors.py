"""Processors against closed forms, and chains built from plain data."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.effects import compress, convolve
from fxnorm.effects.processors import PROCESSORS, Parameter, Reverb, build_chain
from fxnorm.errors import FxNormError

RATE = 44_100
RESPONSE = np.random.default_rng(1).standard_normal((700, 2)).astype(np.float32)
RESPONSE *= np.exp(-np.arange(700) / 100.0)[:, None].astype(np.float32)
RESPONSE[0] = 5.0

#: One setting of each processor in which it does something.
STEPS = {
    "Gain": {"gain": -5.0},
    "Equaliser": {
        "low_shelf_gain": 6.0,
        "first_band_gain": -4.0,
        "second_band_gain": 3.0,
        "third_band_gain": -7.0,
        "high_shelf_gain": 5.0,
    },
    "Compressor": {"threshold": -24.0, "ratio": 4.0, "makeup_gain": 3.0},
    "Panner": {"pan": 0.3},
    "StereoWidth": {"width": 1.6},
    "Reverb": {"impulse_response": "hall", "wet_mix": 0.4, "pre_delay": 3.0},
}


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.3 * np.random.default_rng(seed).standard_normal((samples, 2))).astype(np.float32)


def chain(*names: str, **settings: float):
    steps = [{"processor": name, **(settings or STEPS[name])} for name in names]
    return build_chain(steps, RATE, {"hall": RESPONSE})


def test_every_processor_is_tested():
    assert set(STEPS) == set(PROCESSORS)


@pytest.mark.parametrize("name", STEPS)
@given(cuts=st.lists(st.integers(0, 3000), max_size=5))
@settings(max_examples=6, deadline=None)
def test_blocks_of_any_length_give_what_one_block_gives(name, cuts):
    audio = noise(3000)
    whole = chain(name).process(audio)
    again = chain(name)
    parts = [again.process(part) for part in np.split(audio, sorted(cuts))]
    # The FFT of the reverb depends on the block's length: float32 rounding.
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=3e-6)
    assert whole.shape == audio.shape
    assert whole.dtype == np.float32
    assert np.abs(whole - audio).max() > 0.01


@pytest.mark.parametrize("name", STEPS)
def test_blocks_of_no_length_change_nothing(name):
    audio, nothing = noise(600), np.zeros((0, 2), np.float32)
    (plain,), (interrupted,) = chain(name).processors, chain(name).processors
    expected = [plain.process(audio[:300]), plain.process(audio[300:])]
    assert interrupted.process(nothing).shape == (0, 2)
    np.testing.assert_array_equal(interrupted.process(audio[:300]), expected[0])
    assert interrupted.process(nothing).dtype == np.float32
    np.testing.assert_array_equal(interrupted.process(audio[300:]), expected[1])


@pytest.mark.parametrize("name", STEPS)
def test_reset_forgets_the_past_and_input_stays_untouched(name):
    audio = noise(2000)
    kept = audio.copy()
    processing = chain(name)
    first = processing.process(audio)
    processing.reset()
    np.testing.assert_array_equal(processing.process(audio), first)
    np.testing.assert_array_equal(audio, kept)


def test_gain_is_in_decibels():
    # 20 log10(0.5) = -6.0206 dB.
    result = chain("Gain", gain=-6.0206).process(np.ones((4, 2), np.float32))
    np.testing.assert_allclose(result, 0.5, rtol=1e-5)


@pytest.mark.parametrize("pan", [0.0, 0.25, 0.5, 0.8, 1.0])
def test_panner_keeps_power_and_its_centre_is_neutral(pan):
    gains = chain("Panner", pan=pan).process(np.ones((1, 2), np.float32))[0]
    np.testing.assert_allclose((gains**2).sum(), 2.0, rtol=1e-6)
    assert np.sign(gains[1] - gains[0]).round() == np.sign(pan - 0.5)
    if pan == 0.5:
        np.testing.assert_allclose(gains, 1.0, rtol=1e-6)


def test_width_scales_the_side_alone():
    audio = noise(100)
    middle, side = audio.sum(axis=1), audio[:, 0] - audio[:, 1]
    for width in (0.0, 0.5, 1.0, 2.0):
        result = chain("StereoWidth", width=width).process(audio)
        np.testing.assert_allclose(result.sum(axis=1), middle, atol=1e-6)
        np.testing.assert_allclose(result[:, 0] - result[:, 1], width * side, atol=1e-6)


@pytest.mark.parametrize(
    ("band", "frequency"),
    [("first_band", 400.0), ("second_band", 1000.0), ("third_band", 5000.0)],
)
def test_bell_has_its_gain_at_its_frequency(band, frequency):
    impulse = np.zeros((RATE, 2), np.float32)
    impulse[0] = 1.0
    answer = chain("Equaliser", **{f"{band}_gain": 9.0}).process(impulse)
    # One second: bins are 1 Hz apart.
    response = np.abs(np.fft.rfft(answer[:, 0].astype(np.float64)))
    assert 20 * np.log10(response[int(frequency)]) == pytest.approx(9.0, abs=1e-3)
    assert 20 * np.log10(response[[1, -2]]) == pytest.approx([0.0, 0.0], abs=0.02)


def test_shelves_lift_their_ends():
    impulse = np.zeros((RATE, 2), np.float32)
    impulse[0] = 1.0
    answer = chain("Equaliser", low_shelf_gain=6.0, high_shelf_gain=-5.0).process(impulse)
    response = 20 * np.log10(np.abs(np.fft.rfft(answer[:, 1].astype(np.float64))))
    assert response[[1, 1000, -1]] == pytest.approx([6.0, 0.0, -5.0], abs=0.1)


def test_compressor_follows_its_curve_and_keeps_the_image():
    # Constant level: 12 dB above the threshold leave 12 / 3 = 4 dB above it.
    level_db = -8.0
    audio = np.full((RATE, 2), 10 ** (level_db / 20), np.float32) * np.array([1.0, -0.25])
    result = chain("Compressor", threshold=-20.0, ratio=3.0, makeup_gain=2.0).process(audio)
    assert 20 * np.log10(result[-1, 0]) == pytest.approx(-20.0 + 4.0 + 2.0, abs=1e-3)
    np.testing.assert_allclose(result[:, 1], -0.25 * result[:, 0], rtol=1e-6)


def test_compressor_is_the_projects_compressor_on_mono():
    audio = np.repeat(noise(4000)[:, :1], 2, axis=1)
    setting = {"threshold": -26.0, "ratio": 5.0, "attack_time": 7.5, "release_time": 60.0}
    result = chain("Compressor", **setting).process(audio)
    expected = compress(audio[:, 0], RATE, -26.0, 5.0, 7.5, 60.0)
    np.testing.assert_allclose(result[:, 0], expected, atol=1e-7)


def test_reverb_is_convolution_and_pre_delay_shifts_it():
    audio = noise(5000)
    result = chain("Reverb", impulse_response="hall", wet_mix=0.5, dry_mix=0.0).process(audio)
    # Float32 against double transforms.
    np.testing.assert_allclose(result, 0.5 * convolve(audio, RESPONSE), atol=1e-5)
    settings = {"impulse_response": "hall", "wet_mix": 0.5, "dry_mix": 0.0, "pre_delay": 10.0}
    delayed = chain("Reverb", **settings).process(audio)
    assert not np.abs(delayed[:441]).max() > 1e-5
    np.testing.assert_allclose(delayed[441:], result[:-441], atol=1e-5)


def test_reverb_starts_at_the_peak_of_its_response():
    late = np.concatenate([np.zeros((100, 2), np.float32), RESPONSE])
    audio = noise(500)
    direct, shifted = Reverb(RATE, RESPONSE), Reverb(RATE, late)
    np.testing.assert_allclose(shifted.process(audio), direct.process(audio), atol=1e-6)


def test_mono_enters_a_chain_as_two_channels():
    mono = noise(50)[:, 0]
    np.testing.assert_array_equal(chain("Gain", gain=0.0).process(mono), np.stack([mono] * 2, 1))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_randomize_stays_in_range_and_follows_the_generator(seed):
    one, two = chain(*STEPS), chain(*STEPS)
    one.randomize(np.random.default_rng(seed))
    two.randomize(np.random.default_rng(seed))
    for mine, other in zip(one.processors, two.processors, strict=True):
        for name, parameter in mine.parameters:
            assert parameter.min <= parameter.value <= parameter.max
            assert parameter.value == other.parameters[name].value


def test_parameters_check_their_range_and_reset():
    parameter = Parameter("gain", 0.0, -80.0, 24.0, "dB")
    parameter.value = 3.0
    assert repr(parameter) == "gain=3 dB"
    with pytest.raises(FxNormError, match="'gain': 30 dB is out of range; give -80 to 24"):
        parameter.value = 30.0
    with pytest.raises(FxNormError):
        parameter.value = float("nan")
    parameter.reset()
    assert parameter.value == 0.0


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"gain": 1.0}, "add the key 'processor'"),
        ({"processor": "Flanger"}, "unknown processor 'Flanger'; use one of Gain"),
        ({"processor": "Gain", "level": 1.0}, "Gain has no parameter 'level'; use one of gain"),
        ({"processor": "Gain", "gain": 99.0}, "out of range"),
        ({"processor": "Gain", "gain": "loud"}, "parameter 'gain'"),
        ({"processor": "Reverb"}, "unknown impulse_response None; use one of hall"),
        (
            {"processor": "pymixconsole.Gain"},
            r"needs pymixconsole: pip install 'fxnorm\[console\]'",
        ),
    ],
)
def test_faulty_steps_are_named(step, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymixconsole", None)
    with pytest.raises(FxNormError, match=message):
        build_chain([step], RATE, {"hall": RESPONSE})


class ConsolePanner:
    """Behaves as pymixconsole's processors may: in place, fixed blocks, mono out, ValueError."""

    blocks: tuple[int, ...] = ()

    def __init__(self, block_size, sample_rate):
        self.block_size = block_size
        self.parameters = [("gain", ConsoleParameter())]

    def process(self, data):
        ConsolePanner.blocks += (data.shape[0],)
        data *= self.parameters[0][1].value
        return data[:, 0]


class ConsoleParameter:
    kind, min, max = "float", 0.0, 2.0

    def __init__(self):
        self._value = 1.0

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        if value > self.max:
            raise ValueError(f"Invalid value {value}")
        self._value = value


def test_console_processors_run_in_their_blocks(monkeypatch):
    # pymixconsole is on no package index; a processor after its documented protocol stands in.
    package = ModuleType("pymixconsole")
    processors = SimpleNamespace(Panner=ConsolePanner)
    monkeypatch.setitem(sys.modules, "pymixconsole", package)
    monkeypatch.setitem(sys.modules, "pymixconsole.processors", processors)
    step = {"processor": "pymixconsole.Panner", "gain": 0.5}
    audio = noise(1200)
    kept = audio.copy()
    processing = build_chain([step, {"processor": "Gain", "gain": 0.0}], RATE)
    result = processing.process(audio)
    np.testing.assert_array_equal(result, 0.5 * np.stack([kept[:, 0]] * 2, axis=1))
    np.testing.assert_array_equal(audio, kept)
    assert ConsolePanner.blocks == (512, 512, 512)
    processing.randomize(np.random.default_rng(0))
    assert 0.0 <= processing.processors[0].parameters[0][1].value <= 2.0
    with pytest.raises(FxNormError, match=r"pymixconsole.Panner: parameter 'gain': Invalid value"):
        build_chain([{**step, "gain": 3.0}], RATE)
    with pytest.raises(FxNormError, match="pymixconsole has no processor 'Fuzz'"):
        build_chain([{"processor": "pymixconsole.Fuzz"}], RATE)
