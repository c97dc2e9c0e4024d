"""Curves against closed forms; figures by what they draw."""

import numpy as np
import pandas as pd
import pytest

from fxnorm.evaluation.scoring import COLUMNS
from fxnorm.reporting import figures
from fxnorm.reporting.curves import long_term_spectrum_db, position_curve
from fxnorm.reporting.figure_styles import line_style
from fxnorm.reporting.names import ordered_systems, system_name

SR = 44100
NAMES = {"wun_S_Lb": "WUN-S-Lb", "ours_S_Lb": "Ours-S-Lb"}


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).uniform(-0.3, 0.3, (20 * SR, 2)).astype(np.float32)


def test_white_noise_rises_by_3_db_per_octave(noise):
    frequency, level_db = long_term_spectrum_db(noise, SR)
    slope = np.polyfit(np.log2(frequency), level_db, 1)[0]
    # Third octaves widen with frequency; 100 frames leave about 0.1 dB of scatter per octave.
    assert slope == pytest.approx(10 * np.log10(2), abs=0.1)
    half = 2 ** (1 / 6)
    wanted = 10 * np.log10(1000.0 * (half - 1 / half) / (SR / 2))
    assert np.interp(1000.0, frequency, level_db) == pytest.approx(wanted, abs=0.3)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.1])
def test_position_of_a_panned_signal(noise, ratio):
    panned = noise[:, :1] * np.array([1.0, ratio], np.float32)
    _, phi = position_curve(panned, SR)
    # The same in every bin; spectra are rounded to single precision.
    np.testing.assert_allclose(phi, 2 * ratio / (1 + ratio**2), rtol=1e-6)


def test_curves_read_in_chunks_like_one(noise, monkeypatch):
    from fxnorm.reporting import curves

    spectrum = long_term_spectrum_db(noise, SR)[1]
    monkeypatch.setattr(curves, "_FRAMES_PER_CHUNK", 5)
    np.testing.assert_allclose(long_term_spectrum_db(noise, SR)[1], spectrum, rtol=1e-6)


def test_signal_figures_draw_every_system(noise):
    mixes = {"ours_S_Lb": noise[: 4 * SR], "normalized_sum": 0.5 * noise[: 4 * SR, ::-1]}
    human = noise[SR : 5 * SR]
    for draw in (
        figures.long_term_spectra,
        figures.loudness_over_time,
        figures.position_over_frequency,
    ):
        figure = draw(mixes, human, NAMES)
        axis = figure.axes[0]
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert labels == ["Human", "Normalised sum", "Ours-S-Lb"]
        for line in axis.get_lines():
            assert np.isfinite(line.get_ydata()).all()
    difference = figures.long_term_spectra({"ours_S_Lb": human}, human).axes[1]
    assert np.abs(difference.get_lines()[1].get_ydata()).max() == 0.0


def test_distributions_show_every_song():
    systems = ["normalized_sum", "ours_S_Lb", "another"]
    rows = [
        (system, test_set, f"song {index}", "panning", "mape_mean", 0.1 * index + place, "")
        for place, system in enumerate(systems)
        for test_set in ("wet", "dry")
        for index in range(5)
    ]
    scores = pd.DataFrame(rows, columns=list(COLUMNS))
    metrics = [("panning", "mape_mean")] * 4
    figure = figures.metric_distributions(scores, metrics, "wet", NAMES)
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert len(visible) == 4
    ticks = [text.get_text() for text in visible[0].get_xticklabels()]
    assert ticks == ["Normalised sum", "Ours-S-Lb", "another"]
    points = [line for line in visible[0].get_lines() if line.get_marker() == "o"]
    assert [len(line.get_ydata()) for line in points] == [5, 5, 5]
    np.testing.assert_allclose(points[1].get_ydata(), 0.1 * np.arange(5) + 1)


def test_reference_curves_are_the_authors_logs():
    curves = figures.read_reference_curves()
    assert set(curves) == {"pretrained", "ours_S_Lb", "wun_S_Lb"}
    valid = curves["ours_S_Lb"].query("split == 'valid'").set_index("epoch")["value"]
    # The logs' best epoch and its loss.
    assert (valid.idxmin(), round(valid.min(), 2)) == (7, 34.90)
    assert len(valid) == 196


def test_training_curves_mark_the_best_epoch():
    epochs = np.arange(1, 6)
    valid = [5.0, 3.0, 2.0, 2.5, 4.0]
    curve = pd.concat(
        [
            pd.DataFrame({"epoch": epochs, "split": "train", "value": valid[::-1]}),
            pd.DataFrame({"epoch": epochs, "split": "valid", "value": valid}),
        ]
    )
    figure = figures.training_curves({"ours_S_Lb": curve}, {"paper": curve})
    axis = figure.axes[0]
    best = [line for line in axis.get_lines() if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in best] == [(3, 2.0)]
    assert axis.get_yscale() == "log"
    negative = curve.assign(value=curve.value - 3.0)
    assert figures.training_curves({"x": negative}).axes[0].get_yscale() == "linear"


def test_colours_belong_to_systems():
    def colour(mixes, label):
        lines = figures.training_curves(mixes, names=NAMES).axes[0].get_lines()
        return next(line.get_color() for line in lines if line.get_label() == label)

    curve = pd.DataFrame({"epoch": [1, 2], "split": "valid", "value": [2.0, 1.0]})
    alone = colour({"ours_S_Lb": curve}, "Ours-S-Lb")
    assert colour({"wun_S_Lb": curve, "ours_S_Lb": curve, "zzz": curve}, "Ours-S-Lb") == alone


def test_names_and_order_come_from_the_caller():
    systems = ["zzz", "ours_S_Lb", "aaa", "dry_sum", "wun_S_Lb"]
    wanted = ["dry_sum", "wun_S_Lb", "ours_S_Lb", "aaa", "zzz"]
    assert ordered_systems(systems, NAMES) == wanted
    labels = [system_name(system, NAMES) for system in wanted]
    assert labels == ["Dry sum", "WUN-S-Lb", "Ours-S-Lb", "aaa", "zzz"]
    assert system_name("ours_S_Lb", {"ours_S_Lb": ""}) == "ours_S_Lb"


def test_no_two_of_many_lines_look_alike():
    styles = [line_style(place) for place in range(100)]
    assert len({tuple(style.values()) for style in styles}) == 100
    # Six colours, and in print, without colour, six dashes.
    for key in ("color", "linestyle"):
        assert len({style[key] for style in styles[:6]}) == 6


def test_figures_take_any_number_of_systems(noise):
    systems = [f"system {index:02d}" for index in range(14)]
    mixes = dict.fromkeys(systems, noise[: 4 * SR])
    for draw in (figures.long_term_spectra, figures.loudness_over_time):
        figure = draw(mixes, noise[: 4 * SR])
        figure.draw_without_rendering()
        legend = figure.legends[0].get_window_extent()
        # The legend has all, lies below the curves and within the figure.
        assert len(figure.legends[0].get_texts()) == 15
        assert legend.y1 <= min(axis.get_window_extent().y0 for axis in figure.axes)
        assert legend.x0 >= 0
        assert legend.x1 <= figure.bbox.width
        assert figure.axes[0].get_window_extent().height > 100
    rows = [(system, "wet", f"song {n}", "a", "b", 0.5, "") for system in systems for n in "12"]
    scores = pd.DataFrame(rows, columns=list(COLUMNS))
    boxes = figures.metric_distributions(scores, [("a", "b")] * 4)
    # One panel per row leaves room for fourteen labels.
    assert len({round(axis.get_position().x0, 3) for axis in boxes.axes}) == 1
