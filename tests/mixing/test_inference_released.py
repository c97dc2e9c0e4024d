"""The released inference once more, step by step, against files in the authors' layout.

Everything up to the mix is written here a second time from its formulas: warm-up, padding, the
effects with the released code's departures, the network. What the project does otherwise on
purpose stays so: nothing is stored in 16 bits in between.
"""

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
import soundfile
import torch
import torch.nn.functional as F
from numba import njit
from test_onsets import slow_onsets

from fxnorm.audio import read
from fxnorm.cli import main

RATE = 44_100
WARM_UP = 30 * RATE
#: With the warm-up no multiple of 64, to which the released script would add 64 zeros more.
SAMPLES = 2 * RATE + 10
PAD = 65_536
STEMS = ("vocals", "bass", "drums", "other")
#: Starting ratio, attack and release in ms; width of the smoothing of the spectrum; last frame that
#: is panned anew.
SETTINGS = {
    "vocals": (4, 7.5, 400.0, 401, 743),
    "bass": (5, 10.0, 500.0, 151, 743),
    "drums": (6, 10.0, 180.0, 151, 278),
}


def _song():
    """Three stems of 16-bit samples: a mono one, one that is shorter, and one that is missing."""
    rng = np.random.default_rng(16)
    time = np.arange(SAMPLES) / RATE
    noise = rng.standard_normal((3, len(time), 2))
    syllables = np.abs(np.sin(2 * np.pi * 1.5 * time)) ** 2 + 0.02
    notes = np.exp(-((4 * time) % 1.0) * 3.0) + 0.02
    beats = np.exp(-((5 * time) % 1.0) * 12.0) + 0.005
    vocals = 0.08 * syllables[:, None] * noise[0, :, :1]
    tone = scipy.signal.sawtooth(2 * np.pi * 55.0 * time)
    bass = notes[:, None] * (0.2 * tone[:, None] * [1.0, 0.8] + 0.02 * noise[1])
    drums = (0.15 * beats[:, None] * noise[2] * [0.6, 1.0])[: 3 * RATE // 2]
    stems = {"vocals": vocals, "bass": bass, "drums": drums}
    return {stem: np.round(x * 32_768) / 32_768 for stem, x in stems.items()}


def _features():
    """The content of the authors' features file."""
    bins = np.arange(32_769)
    rng = np.random.default_rng(17)
    wave = 1.0 + 0.2 * rng.standard_normal((len(STEMS), 2, len(bins)))
    return {
        "eq": {s: 40.0 / (1 + bins / 3000) * wave[i, 0] ** 2 for i, s in enumerate(STEMS)},
        # The first is within the range as it is, the others take a few trials.
        "compression": {
            s: np.array([mean, 1.0])
            for s, mean in zip(STEMS, (-10.0, -12.2, -12.2, -10.0), strict=True)
        },
        "panning": {s: np.clip(0.8 * wave[i, 1], 0.1, 1.0) for i, s in enumerate(STEMS)},
        # So that nothing has to be lowered at the end.
        "loudness": {s: np.array([-30.0]) for s in STEMS},
    }


def _weights():
    """A state dict in the authors' layout; levels as of a network that mixes."""
    shapes = {"conv_1.weight": (128, 8, 64), "conv_2.0.weight": (128, 1, 128)}
    shapes |= {"layerNorm.weight": (128,), "layerNorm.bias": (128,)}

    def affine(name, out, *inner):
        shapes.update({f"{name}.weight": (out, *inner), f"{name}.bias": (out,)})

    affine("bottleneck_conv1x1", 256, 128, 1)
    for block in (f"repeats.{repeat}.{inner}" for repeat in range(4) for inner in range(6)):
        affine(f"{block}.conv1x1", 128, 256, 1)
        affine(f"{block}.depthwise_conv", 128, 1, 3)
        affine(f"{block}.skip_out", 64, 128, 1)
        affine(f"{block}.res_out", 256, 128, 1)
        for number in (1, 2):
            shapes[f"{block}.nonlinearity{number}.weight"] = (1,)
            affine(f"{block}.norm{number}", 128)
    shapes["output.0.weight"] = (1,)
    affine("output.1", 128, 64, 1)
    for layer in range(3):
        for end in ("", "_reverse"):
            for part, shape in (("weight", (256, 128)), ("bias", (256,))):
                hidden = (256, 64) if part == "weight" else shape
                shapes[f"blstm.{part}_ih_l{layer}{end}"] = shape
                shapes[f"blstm.{part}_hh_l{layer}{end}"] = hidden
    affine("se_block.net.0", 2048, 128)
    affine("se_block.net.2", 128, 2048)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 2_752_817
    generator = torch.Generator().manual_seed(18)
    state = {}
    for name, shape in shapes.items():
        spread = torch.rand(shape, generator=generator) * 2 - 1
        scale = np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.2
        middle = 1.0 if name.endswith("weight") and len(shape) == 1 else 0.0
        state[name] = middle + scale * spread
    return state


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for stem, x in _song().items():
        soundfile.write(f"{stem}.wav", np.round(x * 32_768).astype(np.int16), RATE)
    np.save("released.npy", np.array(_features(), dtype=object), allow_pickle=True)
    torch.save(_weights(), "released.params")


def test_imported_files_mix_as_the_released_inference(files, capsys):
    importing = "weights import released.params --system ours --features features.npz -o model"
    stems = " ".join(f"--{stem} {stem}.wav" for stem in _song())
    for words in (
        "features import released.npy -o features.npz",
        importing,
        f"mix {stems} --model model -o mix.wav --subtype FLOAT --ceiling 0",
    ):
        assert main(words.split()) == 0
    mix = read("mix.wav")[0]
    expected = released_inference(_song(), _features(), _weights())
    assert mix.shape == expected.shape == (SAMPLES, 2)
    level = np.sqrt((expected**2).mean())
    assert 0.02 < level < 0.4
    # The released script normalises the zeros that fill the last block, which then ring; here they
    # are zeros. The encoder's 64 taps reach them from the last samples alone.
    difference = ((mix - expected) / level)[:-64]
    assert np.sqrt((difference**2).mean()) < 1e-5
    assert np.abs(difference).max() < 1e-4


def released_inference(stems, features, weights):
    """(samples, 2) from stems of (samples, channels), as the released script computes it."""
    longest = max(len(x) for x in stems.values()) + WARM_UP
    length = (1 + longest // 64) * 64
    inputs = np.zeros((8, length))
    for stem, x in stems.items():
        stereo = np.repeat(x, 2, axis=1) if x.shape[1] == 1 else x
        turns = np.concatenate([stereo] * (WARM_UP // len(stereo) + 1))
        warmed = np.concatenate([turns[-WARM_UP:], stereo])
        warmed = np.pad(warmed, [(0, length - len(warmed)), (0, 0)])
        place = 2 * STEMS.index(stem)
        inputs[place : place + 2] = normalized(warmed, stem, features).T
    with torch.inference_mode():
        mixed = network(torch.from_numpy(inputs).float()[None], weights)[0].double().numpy()
    return mixed.T[WARM_UP:longest]


def normalized(stereo, stem, features):
    ratio, attack_ms, release_ms, width, last_frame = SETTINGS[stem]
    x = np.pad(stereo, [(PAD, PAD), (0, 0)])
    spectrum = _smoothed(features["eq"][stem], width)
    mean_db, deviation_db = features["compression"][stem]
    for channel in (0, 1):
        x[:, channel] = equalized(x[:, channel], spectrum)
        bounds = (mean_db - deviation_db, mean_db + deviation_db)
        x[:, channel] = compressed(x[:, channel], bounds, ratio, attack_ms, release_ms)
    x = panned(x, _smoothed(features["panning"][stem], 501), last_frame)
    return at_loudness(x, features["loudness"][stem][0])[PAD:-PAD]


def _smoothed(curve, width):
    return scipy.signal.savgol_filter(curve, width, 1, mode="mirror")


def at_loudness(x, target_lufs):
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(x + 1e-10)
    y = x * 10 ** ((target_lufs - loudness) / 20)
    return y / max(1.0, 1e-6 + np.abs(y).max())


def _transform(x, size, hop):
    window = np.sqrt(scipy.signal.get_window("hann", size))
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop]
    return np.fft.rfft(frames * window), window


def equalized(x, reference):
    x = at_loudness(x, -30.0)
    spectrum = np.abs(_transform(x, 65_536, 16_384)[0]).mean(0)
    wanted = np.sqrt((reference + 1e-30) / (spectrum + 1e-30))
    taps = scipy.signal.firwin2(1001, np.arange(32_769) / 32_768, wanted)
    # Forwards and backwards on the signal oddly extended, whose ends the filter forgets.
    edge = 3 * len(taps)
    extended = np.concatenate([2 * x[0] - x[edge:0:-1], x, 2 * x[-1] - x[-2 : -edge - 2 : -1]])
    forwards = scipy.signal.oaconvolve(extended, taps)[: len(extended)]
    backwards = scipy.signal.oaconvolve(forwards[::-1], taps)[: len(extended)][::-1]
    return backwards[edge:-edge]


def mean_peak_db(x):
    """Mean level of the loudest peaks after onsets of one channel."""
    single = x.astype(np.float32)
    onsets = slow_onsets(single, RATE)
    magnitudes = np.abs(single.astype(float))
    ends = [*onsets[1:], len(x)]
    levels = np.array(
        [20 * np.log10(magnitudes[a:b].max() + 1e-30) for a, b in zip(onsets, ends, strict=True)]
    )
    kept = levels[levels > np.percentile(levels, 75)]
    return (kept if len(kept) else levels).mean()


def compressed(x, bounds, first_ratio, attack_ms, release_ms):
    x = x / np.abs(x).max() * 10 ** (-10 / 20)
    if mean_peak_db(x) < bounds[1]:
        return x
    for ratio in range(first_ratio, 21):
        for step in range(61):
            y = _compress(x, -10.0 - 0.5 * step, ratio, attack_ms, release_ms)
            y = np.clip(y, -1.0, 1.0)
            if mean_peak_db(y) < bounds[1]:
                return y
    return y


@njit
def _compress(x, threshold_db, ratio, attack_ms, release_ms):
    attack = np.exp(-1.0 / (0.001 * RATE * attack_ms))
    release = np.exp(-1.0 / (0.001 * RATE * release_ms))
    state, y = 0.0, np.empty_like(x)
    for n in range(len(x)):
        level = -120.0 if abs(x[n]) < 1e-6 else 20.0 * np.log10(abs(x[n]))
        over = level - threshold_db
        excess = over - over / ratio if over >= 0.0 else 0.0
        memory = attack if excess > state else release
        state = memory * state + (1.0 - memory) * excess
        y[n] = x[n] * 10.0 ** (-state / 20.0)
    return y


def panned(x, reference, last_frame):
    padded = np.pad(x, [(2048, 2048), (0, 0)])
    left, right = (np.abs(_transform(padded[:, c], 2048, 1024)[0]) + 1e-20 for c in (0, 1))
    similarity = 2 * left * right / (left**2 + right**2)
    position = ((1 - similarity) * np.sign(right / left - left / right)).mean(0)
    low, high = (int(hz * 2048 / RATE) for hz in (50, 2500))
    side = np.sign(np.sign(_smoothed(position, 501) + 1e-10)[low:high].mean())
    padded = padded * ([0.3, 0.7] if side > 0 else [0.7, 0.3])
    spectra = [_transform(padded[:, c], 2048, 1024)[0] for c in (0, 1)]
    window = _transform(padded[:2048, 0], 2048, 1024)[1]
    left, right = (np.abs(spectrum) + 1e-20 for spectrum in spectra)
    similarity = 2 * left * right / (left**2 + right**2)
    curve = 0.9 * np.append(reference[:-1].reshape(1024, 32).mean(1), reference[-1])
    heard = np.abs(spectra[0] + spectra[1]).max(1) >= 10 ** (-10 / 20)
    # Released code: the border in frequency is counted in frames.
    acts = (heard & (np.arange(len(heard)) < last_frame))[:, None]
    output = np.zeros_like(padded)
    weight = np.zeros(len(padded))
    for channel, spectrum in enumerate(spectra):
        gain = _gains(curve, side)[channel] / (_gains(similarity, side)[channel] + 1e-20)
        frames = np.fft.irfft(spectrum * np.where(acts, gain, 1.0)) * window
        for number, frame in enumerate(frames):
            output[1024 * number : 1024 * number + 2048, channel] += frame
            if channel == 0:
                weight[1024 * number : 1024 * number + 2048] += window**2
    return (output / np.maximum(weight, 1e-9)[:, None])[2048:-2048]


def _gains(similarity, side):
    quiet = np.clip(similarity + 1e-30, 0.0, 1.0) / 2
    return (quiet, 1 - quiet) if side > 0 else (1 - quiet, quiet)


def network(x, w):
    """The paper's network on (1, 8, samples), plain, with weights by their released names."""

    def convolved(y, name, **settings):
        return F.conv1d(y, w[f"{name}.weight"], w[f"{name}.bias"], **settings)

    def normed(y, name):
        return F.group_norm(y, 1, w[f"{name}.weight"], w[f"{name}.bias"], eps=1e-8)

    first = F.conv1d(F.pad(x, (31, 32)), w["conv_1.weight"])
    second = F.conv1d(F.pad(first.abs(), (63, 64)), w["conv_2.0.weight"], groups=128)
    latent = F.max_pool1d(F.softplus(second), 64)
    del second
    y = convolved(normed(latent, "layerNorm"), "bottleneck_conv1x1")
    skips = torch.zeros(1)
    for block in (f"repeats.{repeat}.{inner}" for repeat in range(4) for inner in range(6)):
        dilation = 2 ** int(block[-1])
        t = F.prelu(convolved(y, f"{block}.conv1x1"), w[f"{block}.nonlinearity1.weight"])
        t = normed(t, f"{block}.norm1")
        t = convolved(t, f"{block}.depthwise_conv", dilation=dilation, padding=dilation, groups=128)
        t = normed(F.prelu(t, w[f"{block}.nonlinearity2.weight"]), f"{block}.norm2")
        skips = skips + convolved(t, f"{block}.skip_out")
        y = y + convolved(t, f"{block}.res_out")
    y = F.softplus(convolved(F.prelu(skips, w["output.0.weight"]), "output.1"))
    lstm = torch.nn.LSTM(128, 64, 3, batch_first=True, bidirectional=True)
    own = {name.removeprefix("blstm."): value for name, value in w.items() if "blstm" in name}
    lstm.load_state_dict(own)
    mask = F.softplus(lstm(y.mT)[0]).mT
    first *= mask.repeat_interleave(64, dim=2)
    squeezed = F.linear(first.abs().mean(2), w["se_block.net.0.weight"], w["se_block.net.0.bias"])
    gate = F.linear(squeezed.relu(), w["se_block.net.2.weight"], w["se_block.net.2.bias"])
    first *= gate.sigmoid()[:, :, None]
    stems = F.conv_transpose1d(first[:, :, 31:-32], w["conv_1.weight"])
    return stems.reshape(1, 4, 2, -1).sum(1).tanh()
