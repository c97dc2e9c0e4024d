"""The page of one mix: its curves and pictures, and the page in a browser."""

import base64
import io
import re
from dataclasses import replace

import librosa
import matplotlib.image
import numpy as np
import pytest
from fresh_process import run_code
from page_browser import listening_script
from tiny_model import plain_features

from fxnorm.audio import integrated_loudness
from fxnorm.cli.common import stem_steps
from fxnorm.mixing import sum_normalized
from fxnorm.reporting.page import MixedSong, write_mix_page
from fxnorm.reporting.page.plots import Line, line_plot, mel_plots, mel_power

RATE = 44_100
TONES_HZ = {"vocals": 1000.0, "bass": 125.0, "drums": 4000.0}


@pytest.fixture(scope="module")
def song():
    """Three seconds of a tone per stem, mixed without a network; one stem is silent."""
    time_s = np.arange(3 * RATE) / RATE
    swell = 0.2 + 0.1 * np.sin(2 * np.pi * 2.0 * time_s)
    stems = {
        stem: np.stack([swell * np.sin(2 * np.pi * hz * time_s)] * 2, axis=1)
        for stem, hz in TONES_HZ.items()
    } | {"other": np.zeros((3 * RATE, 2))}
    mixed = sum_normalized(stems, RATE, plain_features(), keep_trace=True)
    report = {
        "seconds": 3.0,
        "sample_rate": RATE,
        "loudness_lufs": integrated_loudness(mixed.audio, RATE),
        "true_peak_dbtp": None,
        "stems": mixed.reports,
        # The last letter is none: names on disk need not be UTF-8.
        "files": {stem: [f"/a/{stem} <1>\udce9.wav"] for stem in stems},
        "warnings": [*mixed.warnings, "<b>escaped</b>"],
    }
    traced = mixed.trace.given, mixed.trace.normalized, mixed.stems, mixed.trace.curves
    steps = {stem: stem_steps(facts) for stem, facts in mixed.reports.items()}
    return MixedSong("A & B", mixed.audio, RATE, *traced, steps, report)


@pytest.fixture(scope="module")
def path(song, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "mix.html"
    write_mix_page(path, song)
    return path


def test_the_page_is_one_file_with_everything_said_and_the_same_each_time(song, path, tmp_path):
    text = path.read_text()
    write_mix_page(tmp_path / "again.html", song)
    assert (tmp_path / "again.html").read_text() == text
    assert "A &amp; B" in text
    assert "&lt;b&gt;escaped" in text
    assert "bass &lt;1&gt;\\udce9.wav" in text
    assert "http" not in re.sub(r"http-equiv", "", text)
    # Three sums and four stems to hear; a gain of the equaliser for each stem that sounds.
    assert len(re.findall(r'id="audio-1-\d"', text)) == 7
    assert text.count("gain of the effect eq</") + text.count("gain of the effect eq\n") == 3
    assert text.count("spread to both sides") == 3
    shown = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    assert re.search(r"−\d+\.\d (dB|LU)", shown)
    assert not re.search(r"(?<![\w-])-\d", shown.split("&lt;b&gt;escaped")[1])


@pytest.mark.parametrize(("samples", "keys"), [(1, []), (441, [" ", "ArrowRight", "ArrowLeft"])])
def test_a_mix_shorter_than_a_spectrum_has_a_page(song, tmp_path, browser, samples, keys):
    def cut(signals):
        return {stem: signal[:samples] for stem, signal in signals.items()}

    short = replace(
        song,
        mix=song.mix[:samples],
        given=cut(song.given),
        normalized=cut(song.normalized),
        shares=cut(song.shares),
    )
    write_mix_page(tmp_path / "short.html", short)
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((tmp_path / "short.html").as_uri())
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    page.close()
    assert problems == []


def test_mel_powers_are_librosas():
    signal = np.random.default_rng(0).normal(0.0, 0.1, (RATE, 2)).astype(np.float32)
    ours = mel_power(signal)
    expected = librosa.feature.melspectrogram(
        y=signal.T,
        sr=RATE,
        n_fft=4096,
        hop_length=1024,
        n_mels=128,
        fmin=30.0,
        fmax=18_000.0,
        htk=True,
        norm=None,
        center=False,
    ).mean(axis=0)
    np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_a_tone_is_a_bright_row_of_the_picture_where_its_tick_would_be():
    time_s = np.arange(RATE) / RATE
    tone = np.stack([np.sin(2 * np.pi * 1000.0 * time_s)] * 2, axis=1)
    (plot,) = mel_plots({"tone": tone})
    image = matplotlib.image.imread(
        io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", plot)[1])), format="png"
    )
    assert image.shape == (128, 40, 3)
    row = image.sum(axis=2).mean(axis=1).argmax()
    frame = re.search(r'<image [^>]* y="(\d+)" width="\d+" height="(\d+)"', plot)
    at = float(re.search(r'y="([\d.]+)" text-anchor="end">1k<', plot)[1]) - 4
    assert (at - float(frame[1])) / float(frame[2]) * 128 == pytest.approx(row + 0.5, abs=1.0)


def test_a_curve_goes_through_its_points():
    line = Line("gain", np.array([0.0, 1000.0, 22_050.0]), np.array([0.0, 12.0, 12.0]))
    plot = line_plot([line], "t")
    points = re.search(r'class="line line-1" d="M([^"]+)"', plot)[1]
    points = np.array([point.split() for point in points.split("L")], float)
    x_1k = float(re.search(r'<text x="([\d.]+)"[^>]*middle">1k<', plot)[1])
    y_12 = float(re.search(r'y="([\d.]+)" text-anchor="end">12<', plot)[1]) - 4
    np.testing.assert_allclose(points[points[:, 0] > x_1k + 3, 1], y_12, atol=0.2)
    assert points[0, 1] > y_12 + 100


def test_the_loudness_is_compiled_for_one_type_of_samples():
    run_code("""
        import numpy as np
        from fxnorm.audio import loudness
        from fxnorm.reporting.page.player import PlayedVersion, rendered_player
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, (44_100, 2)).astype(np.float32)
        version = PlayedVersion("noise", noise, -20.0)
        words = {"number": 1, "name": "a", "details": "", "seconds": 1.0, "bitrate_kbps": 160}
        rendered_player([version], **words)
        # Each takes half a second of a page's time after installation.
        assert len(loudness._weigh.signatures) == 1
    """)


@pytest.fixture
def page(browser, path):
    page = browser.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else problems.append(r)
    )
    page.add_init_script(listening_script(TONES_HZ.values()))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert problems == []


def _wait_for(page, heard):
    """Wait until these tones sound and the others do not."""
    page.wait_for_function(
        "heard => { if (!window.tap) return false; const s = spectrum();"
        " return s.every((level, i) => heard[i] ? level > -70 : level < -100); }",
        arg=heard,
    )


def test_keys_switch_between_the_mix_and_each_stem_alone(page):
    page.locator(".seek").focus()
    page.keyboard.press("3")
    page.keyboard.press(" ")
    _wait_for(page, [True, True, True])
    for key, heard in (
        ("4", [True, False, False]),
        ("5", [False, True, False]),
        ("6", [False, False, True]),
    ):
        page.keyboard.press(key)
        _wait_for(page, heard)
    page.keyboard.press("ArrowDown")
    _wait_for(page, [False, False, False])
    assert len(set(map(str, page.evaluate("starts")))) == 1


def test_keys_go_to_the_player_before_it_is_touched(page):
    page.keyboard.press("4")
    page.keyboard.press(" ")
    _wait_for(page, [True, False, False])
    page.keyboard.press(" ")
    page.wait_for_selector(".player:not(.playing)")


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_reaches_beyond_the_window_and_all_is_named(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.evaluate("[...document.querySelectorAll('.plot svg')].map((e) => e.clientWidth)")
    assert min(sizes) > 0.7 * min(width, 400)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, a, svg[role]')].filter((e) =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert unnamed == 0
