import numpy as np
import pytest
from mixing_fixtures import AUTOMIX, RATE, bursts, model

import fxnorm
from fxnorm.audio import write
from fxnorm.errors import FxNormError
from fxnorm.mixing import Finishing, Track, mix_stems
from fxnorm.mixing.sources import length_notes, open_stems, start_notes
from fxnorm.normalization import ImpulseResponse


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        (None, "no stems"),
        ({"bass": None}, "bass: is NoneType, not audio"),
        ({"bass": np.float32(1.0)}, "bass: is float32, not audio"),
        ({"bass": np.array(1.0)}, r"bass: audio of shape \(\)"),
        ({"bass": np.zeros((2, 3, 4))}, r"bass: audio of shape \(2, 3, 4\)"),
        ({"bass": np.array(["a"])}, "give real numbers"),
        ({"bass": np.zeros(9, complex)}, "give real numbers"),
        ({"bass": np.zeros((9, 2), np.int16)}, "divide by full scale"),
        ({"bass": [0.0, 0.1]}, "bass: is list, not audio"),
        ({"bass": []}, "bass: is list, not audio"),
        ({"bass": memoryview(np.zeros((9, 2)))}, "bass: is memoryview, not audio"),
        ({"bass": [np.ones(9), None]}, "bass: is NoneType"),
        ({"bass": Track(np.ones(9), pan=2.0)}, "bass: pan 2.0 must be a number from -1 to 1"),
        ({"bass": Track(np.ones(9), "3")}, "bass: gain '3' must be a number"),
        ({"bass": Track(None)}, "bass: is NoneType, not audio"),
        ({"bass": "a\0.wav"}, "holds a zero byte"),
        ({"bass": "a" * 300 + ".wav"}, r"a\.wav: can't be read \(File name too long\)"),
        ({"bass": Track("a.wav", gain_db=float("nan"))}, "a.wav: gain nan"),
        ({"bass": ["a.wav", "./a.wav"]}, "a.wav: is given twice for bass"),
        ({"bass": np.zeros((9, 6))}, "bass: audio has 6 channels"),
    ],
)
def test_what_is_no_stem_is_one_line(features, stems, message):
    with pytest.raises(FxNormError, match=message):
        fxnorm.mix(stems, RATE, model(features, AUTOMIX))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("effects", 3),
        ("effects", "eq"),
        ("strengths", 0.5),
        ("seed", "x"),
        ("device", None),
        ("finishing", {"wet": 2}),
        ("finishing", 3),
        ("impulse_responses", "dir"),
        ("pre_impulse_responses", [np.ones(9)]),
    ],
)
def test_what_is_no_argument_is_one_line(features, name, value):
    with pytest.raises(FxNormError, match=rf"^(mix: key '{name}|finishing: key 'wet')") as raised:
        mix_stems(bursts(1000), RATE, model(features, AUTOMIX), **{name: value})
    assert "\n" not in str(raised.value)


def test_finishing_that_can_not_be_is_one_line():
    with pytest.raises(FxNormError, match=r"^finishing: key 'wet': .*less than or equal to 1"):
        Finishing(wet=2)


@pytest.mark.parametrize("rate", [0, -1, 1, 10**9, 44_100.5, "44100", True, float("nan"), [1]])
def test_what_is_no_rate_is_one_line(features, rate):
    with pytest.raises(FxNormError, match="sample rate"):
        fxnorm.mix(bursts(1000), rate, model(features, AUTOMIX))


def test_tracks_of_a_stem_are_summed_with_their_gain_and_pan():
    left, right = np.array([[0.1, 0.2]]), np.array([[0.4, 0.3]])
    tracks = [
        Track(np.repeat(left, 5000, 0), gain_db=20.0 * np.log10(2.0)),
        Track(np.repeat(right[:, :1], 4000, 0), pan=-1.0),
    ]
    for track in tracks:
        # Alternating, so that it is no DC offset.
        track.audio[1::2] *= -1.0
    (source,) = open_stems({"bass": tracks}, RATE, ("bass",))
    song, notes = source.read(6000)
    expected = np.zeros((6000, 2))
    expected[:5000] += 2.0 * tracks[0].audio
    expected[:4000, :1] += np.sqrt(2.0) * tracks[1].audio
    np.testing.assert_allclose(song, expected, atol=1e-6)
    assert notes == ()


def test_very_different_lengths_and_starts_are_said_with_both():
    stems = {
        "bass": np.ones(10 * RATE),
        "drums": np.ones(4 * RATE),
        "other": np.ones(95 * RATE // 10),
    }
    (note,) = length_notes(open_stems(stems, RATE, tuple(stems)))
    assert note.startswith("drums: 4.0 s long, bass 10.0 s")
    starts = {"bass": 0.5, "drums": 20.5, "other": 3.0, "vocals": np.inf}
    (note,) = start_notes(starts, 30.0)
    assert note.startswith("drums: begins to sound at 20.5 s, bass at 0.5 s")


def test_a_file_read_in_parts_and_a_resampled_one_are_those_read_at_once(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (50_000, 2)).astype(np.float32)
    write(tmp_path / "a.wav", noise, 48_000, "FLOAT")
    (source,) = open_stems({"bass": tmp_path / "a.wav"}, 48_000, ("bass",))
    whole, _ = source.read(source.samples)
    monkeypatch.setattr("fxnorm.audio.ffmpeg.BLOCK", 7001)
    monkeypatch.setattr("fxnorm.audio.resampling._AT_ONCE", 1000)
    parts, _ = source.read(source.samples)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_long_songs_are_mixed_as_short_ones_are(features, treat_as_long, monkeypatch):
    """With arrays on disk, blocks and the latent network in parts: the same to 1e-5."""
    stems, loaded = bursts(3 * RATE), model(features, AUTOMIX, warm_up_s=0.5)
    stems["vocals"] = 0.0031 / 0.3 * stems["vocals"]  # Faded.
    stems["bass"] = stems["bass"][:, 0]
    decay = np.exp(-np.arange(5000) / 1000.0)
    room = ImpulseResponse("room", np.random.default_rng(0).normal(size=5000) * decay)
    rooms = {"impulse_responses": [room], "pre_impulse_responses": [room]}
    plain = mix_stems(stems, RATE, loaded, **rooms)
    treat_as_long()
    monkeypatch.setattr("fxnorm.models.automix.streaming.LONG_FRAMES", 10)
    monkeypatch.setattr("fxnorm.models.automix.long_latent._FRAMES", 100)
    monkeypatch.setattr("fxnorm.models.automix.latent._LSTM_FRAMES", 100)
    long = mix_stems(stems, RATE, loaded, **rooms)
    np.testing.assert_allclose(long.audio, plain.audio, rtol=0, atol=1e-5)
    for stem, share in plain.stems.items():
        np.testing.assert_allclose(long.stems[stem], share, rtol=0, atol=1e-5)


def test_four_mono_stems_lean_to_no_side(features):
    from fxnorm.mixing import sum_normalized

    mono = {stem: samples[:, :1] for stem, samples in bursts(2 * RATE).items()}
    mixed = sum_normalized(mono, RATE, features).audio
    left, right = np.sqrt(np.mean(np.square(mixed), axis=0))
    assert abs(20.0 * np.log10(left / right)) < 0.3
