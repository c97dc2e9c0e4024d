"""The report page as a document: what it holds, and that it holds nothing else."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.signal
import soundfile

from fxnorm.audio import integrated_loudness, true_peak_db, write
from fxnorm.errors import FxNormError
from fxnorm.evaluation.columns import Column
from fxnorm.reporting.page import (
    PageConfig,
    PageFigure,
    PageSong,
    PageTable,
    page_table,
    write_page,
)
from fxnorm.reporting.page.html_figures import figure_html
from fxnorm.reporting.page.html_tables import table_html
from fxnorm.reporting.tables import Cell, Table

RATE = 44_100
CONFIG = PageConfig(seconds=2.0, bitrate_kbps=96)
NETWORK = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?!data:|#)[^"'\s)]+""")


class Tags(HTMLParser):
    """All tags with their attributes, and that each is closed."""

    EMPTY = frozenset({"meta", "link", "img", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.found if tag == name]


def music(seconds: float, gain: float, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * 220.0 * time) * (0.2 + 0.8 * (time > 3.0))
    noise = np.random.default_rng(seed).standard_normal((time.size, 2))
    # Without the highs that MP3 leaves out.
    low = scipy.signal.sosfilt(scipy.signal.butter(4, 4000.0, fs=RATE, output="sos"), noise, axis=0)
    return (gain * (tone[:, None] + 0.1 * low)).astype(np.float32)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[PageSong]:
    folder = tmp_path_factory.mktemp("mixes")
    write(folder / "human.wav", music(6.0, 0.5), RATE)
    write(folder / "ours.wav", music(6.0, 0.05, 1), RATE)
    versions = {"Human": folder / "human.wav", "Ours <S>": folder / "ours.wav"}
    return [PageSong("Rock & Roll", "wet", versions)]


def make_figure() -> plt.Figure:
    figure, axes = plt.subplots(figsize=(4, 2))
    axes.plot([1, 3, 2])
    plt.close(figure)
    return figure


def make_page(path: Path, songs: list[PageSong], **changes) -> str:
    frame = pd.DataFrame({"system": ["a", "b"], "error": [0.1234, np.nan]})
    arguments = {
        "title": "Mixes & more",
        "introduction": "First\nparagraph.\n\nSecond <one>.",
        "tables": [PageTable("Errors", frame, "Lower is better.")],
        "figures": [PageFigure("Curve", make_figure(), "A curve.", 'A "curve"')],
        "songs": songs,
        "config": CONFIG,
    }
    write_page(path, **{**arguments, **changes})
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(songs, tmp_path_factory) -> str:
    return make_page(tmp_path_factory.mktemp("page") / "index.html", songs)


def decode(page: str, identifier: str) -> np.ndarray:
    encoded = re.search(rf'id="{identifier}">([^<]*)</script>', page)
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded[1])), always_2d=True)
    assert rate == RATE
    return audio


def test_the_page_is_well_formed_and_reaches_for_nothing_outside(page) -> None:
    tags = Tags(page)
    assert not NETWORK.findall(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(", page)
    (policy,) = [meta["content"] for meta in tags.all("meta") if "http-equiv" in meta]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(rule) == f"'sha256-{digest}'"
    assert rules.pop("img-src") == "data:"
    assert rules == dict.fromkeys(
        ("default-src", "connect-src", "base-uri", "form-action"), "'none'"
    )


def test_text_is_escaped_and_split_into_paragraphs(page) -> None:
    assert "<h1>Mixes &amp; more</h1>" in page
    assert "<p>First paragraph.</p>\n<p>Second &lt;one&gt;.</p>" in page
    assert "Ours &lt;S&gt;" in page
    assert "Rock &amp; Roll" in page
    assert [image["alt"] for image in Tags(page).all("img")] == ['A "curve"']


def test_ids_are_unique_and_what_refers_to_them_exists(page) -> None:
    tags = Tags(page)
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = [a[key] for _, a in tags.found for key in ("aria-labelledby",) if key in a]
    anchors = [attributes["href"][1:] for attributes in tags.all("a")]
    assert anchors == ["listen", "tables", "figures"]
    assert set(referred + anchors) <= set(ids)


def test_the_same_arguments_give_the_same_bytes(page, songs, tmp_path) -> None:
    assert make_page(tmp_path / "again.html", songs) == page


def test_excerpts_are_matched_in_loudness_and_as_long_as_asked(page) -> None:
    for version in (1, 2):
        audio = decode(page, f"audio-1-{version}")
        # Compression at 96 kbit/s, the encoder's padding and the fades change it by this little.
        assert integrated_loudness(audio, RATE) == pytest.approx(-23.0, abs=0.1)
        # The encoder fills whole frames of 1152 samples.
        assert 0 <= audio.shape[0] - 2 * RATE < 3 * 1152


def test_the_excerpt_is_where_the_first_version_is_loudest(page) -> None:
    # The tone is louder from 3 s on, and 4 s is the last start of a 2-s excerpt.
    assert "wet test set · 0:03 to 0:05 · −23.0 LUFS" in page


def test_loudness_before_matching_is_shown(page) -> None:
    shown = re.findall(r"before matching\">−([\d.]+) LUFS", page)
    assert float(shown[1]) - float(shown[0]) == pytest.approx(20.0, abs=0.2)


def test_a_song_that_would_clip_is_lowered_and_says_so(songs, tmp_path) -> None:
    clicks = music(3.0, 0.01)
    clicks[RATE] = 0.9
    write(tmp_path / "clicks.wav", clicks, RATE)
    song = PageSong("Clicks", "dry", {"Clicks": tmp_path / "clicks.wav", **songs[0].versions})
    text = make_page(tmp_path / "page.html", [song])
    level = float(re.search(r"dry test set · [\d: to]+ · −([\d.]+) LUFS", text)[1])
    assert level > 23.5
    # MP3 may overshoot a little; the ceiling before encoding is -1 dBTP.
    assert true_peak_db(decode(text, "audio-1-1")) < 0.0
    assert integrated_loudness(decode(text, "audio-1-2"), RATE) == pytest.approx(-level, abs=0.1)


def test_waveforms_share_a_scale_and_fill_it(page) -> None:
    outlines = re.findall(r'<path d="M([^"]*)Z"', page)
    assert len(outlines) == 2
    heights = [[int(point.split()[1]) for point in outline.split("L")] for outline in outlines]
    assert all(len(points) == 2 * 480 for points in heights)
    # The highest or lowest sample of the louder of the two touches the edge.
    assert min(min(map(min, heights)), 200 - max(map(max, heights))) == 0


def test_a_page_that_would_be_too_large_is_refused_and_not_written(songs, tmp_path) -> None:
    config = PageConfig(seconds=2.0, max_megabytes=0.02)
    with pytest.raises(FxNormError, match=r"without any excerpts, more than the 0\.02 MB allowed"):
        make_page(tmp_path / "page.html", songs, config=config)
    assert list(tmp_path.iterdir()) == []


def shrunk(folder: Path, songs: list[PageSong], megabytes: float, seconds: float = 5.0) -> str:
    config = PageConfig(seconds=seconds, bitrate_kbps=128, max_megabytes=megabytes)
    text = make_page(folder / "page.html", songs, config=config)
    assert (folder / "page.html").stat().st_size <= megabytes * 1e6
    return text


def many_systems(song: PageSong, systems: int) -> PageSong:
    _, ours = song.versions.values()
    others = {f"System {number}": ours for number in range(systems)}
    return PageSong(song.name, song.test_set, {**song.versions, **others})


def test_many_systems_get_a_lower_bit_rate_and_the_page_says_so(songs, tmp_path, caplog) -> None:
    song = many_systems(songs[0], 3)
    # Five versions of 5 s at 128 kbit/s are 0.53 MB in base64, and the rest takes 0.07 MB.
    assert "To keep to" not in shrunk(tmp_path, [song], 0.65)
    text = shrunk(tmp_path, [song], 0.55)
    note = "To keep to the page's limit of 0.55 MB, the excerpts are at 112 kbit/s instead of 128."
    assert note.replace("'", "&#39;") in text
    assert note in caplog.text
    assert decode(text, "audio-1-5").shape[0] >= 5 * RATE


def test_then_excerpts_get_shorter_and_then_fewer(songs, tmp_path) -> None:
    song = many_systems(songs[0], 3)
    text = shrunk(tmp_path, [song], 0.3)
    assert "at 64 kbit/s instead of 128, of 4 s instead of 5 s." in text
    assert decode(text, "audio-1-1").shape[0] < 4.1 * RATE
    dry = PageSong("Dry one", "dry", song.versions)
    text = shrunk(tmp_path, [song, song, dry], 0.6)
    assert "of 4 s instead of 5 s, of 2 songs instead of 3." in text
    # One of each test set is left.
    assert "wet test set" in text
    assert "dry test set" in text
    text = shrunk(tmp_path, [song], 0.1)
    assert "No excerpts" in text
    assert not Tags(text).all("article")


def test_what_was_asked_for_is_played_if_it_fits_because_songs_are_short(songs, tmp_path) -> None:
    # The songs last 6 s: excerpts of up to 60 s take no more than that.
    text = shrunk(tmp_path, songs, 0.5, seconds=60.0)
    assert "To keep to" not in text


@pytest.mark.parametrize("bitrate", [32, 320])
def test_all_bit_rates_that_may_be_set_can_be_encoded(songs, tmp_path, bitrate) -> None:
    text = make_page(
        tmp_path / "page.html", songs, config=PageConfig(seconds=2.0, bitrate_kbps=bitrate)
    )
    encoded = re.search(r'id="audio-1-1">([^<]*)</script>', text)[1]
    # Whole frames of 1152 samples, and the encoder's delay.
    assert len(encoded) * 6 / 2.0 / 1000 == pytest.approx(bitrate, rel=0.1)


def test_spectrograms_of_what_is_played_are_shown_in_the_player(songs, tmp_path) -> None:
    song = PageSong("Song", "wet", songs[0].versions, spectrograms=("Human", "Ours <S>"))
    text = make_page(tmp_path / "page.html", [song])
    (image,) = [image for image in Tags(text).all("img") if image.get("class") == "spectrograms"]
    assert image["alt"] == "Mel spectrograms of the excerpt: Human, Ours <S>"
    data = base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"))
    assert len(data) < 100_000
    assert make_page(tmp_path / "again.html", [song]) == text


def test_empty_sections_are_left_out(tmp_path) -> None:
    text = make_page(tmp_path / "page.html", [], tables=[], figures=[])
    assert not Tags(text).all("section")
    assert "<nav" not in text


def test_missing_and_silent_mixes_are_refused_by_name(tmp_path) -> None:
    write(tmp_path / "silent.wav", np.zeros((RATE, 2)), RATE)
    for versions, message in (
        ({"A": tmp_path / "no.wav"}, "no such file"),
        ({"A": tmp_path / "silent.wav"}, "Song: A: no loudness"),
        ({}, "Song: no mixes"),
    ):
        with pytest.raises(FxNormError, match=message):
            make_page(tmp_path / "page.html", [PageSong("Song", "wet", versions)])


def cells(html: str) -> list[str]:
    return re.findall(r"<td[^>]*>(?:<b>)?([^<]*)", html.split("<tbody>")[1])


def test_numbers_have_three_digits_and_sort_by_their_full_value() -> None:
    frame = pd.DataFrame(
        {"s": ["x", "y"], "a": [0.123456, -0.00049], "b": [6533.7, 1.0], "n": [1, 2]}
    )
    html = table_html(PageTable("T", frame, "c"), 1)
    assert cells(html) == ["0.123", "6534", "1", "−0.000", "1", "2"]
    assert 'data-value="0.123456"' in html
    assert 'data-value="-0.00049"' in html


def test_text_that_begins_with_numbers_sorts_by_them_and_missing_cells_are_dashes() -> None:
    frame = pd.DataFrame(
        {"s": ["x", "y", "z"], "m": ["0.2 ± 0.1", "–", "−1.5 ± 1"], "q": [1.0, np.nan, np.inf]}
    )
    html = table_html(PageTable("T", frame, "c"), 1)
    assert re.findall(r'data-value="([^"]*)"', html) == ["0.2", "1.0", "", "", "-1.5", "inf"]
    assert cells(html) == ["0.2 ", "1.00", "–", "–", "−1.5 ", "inf"]
    assert re.findall("<small>([^<]*)", html) == ["± 0.1", "± 1"]


def test_levels_become_header_rows_the_index_a_column_and_emphasis_bold() -> None:
    columns = pd.MultiIndex.from_tuples([("loud", "peak"), ("loud", "lufs"), ("width", "t")])
    frame = pd.DataFrame(np.eye(2, 3), index=pd.Index(["a", "b"], name="system"), columns=columns)
    html = table_html(PageTable("T", frame, "c", emphasis=frame == 1.0), 2)
    head = html.split("<tbody>")[0]
    assert re.findall(r'colspan="(\d)"[^>]*>([^<]*)', head) == [
        ("1", ""),
        ("2", "loud"),
        ("1", "width"),
    ]
    assert re.findall(r"<button[^>]*>([^<]*)", head) == ["system", "peak", "lufs", "t"]
    assert re.findall(r"<b>([^<]*)", html.split("<tbody>")[1]) == ["1.00", "1.00"]
    assert re.findall(r'<th scope="row">([^<]*)', html) == ["a", "b"]
    assert "Table 2. T." in html
    Tags(html)


def test_the_papers_table_becomes_a_table_of_the_page() -> None:
    table = Table(
        "Metrics",
        (Column("spectral", "mape_mean", "mean"), Column("panning", "mape_mean", "mean")),
        (
            ("Ours", (Cell(0.1, 0.05, 0.15, best=True, marker="†"), Cell(0.3))),
            ("Human", (Cell(0.0), Cell())),
        ),
        ("First note.", "Second."),
    )
    html = table_html(page_table(table), 1)
    assert "<b>Table 1. Metrics.</b> First note. Second.</figcaption>" in html
    assert cells(html) == ["0.100", "0.300", "0.000", "–"]
    assert "<b>0.100</b> <small>± 0.050†</small>" in html
    assert html.count("<b>0") == 1


def test_figures_are_svg_unless_they_are_large() -> None:
    html = figure_html(PageFigure("F", make_figure(), "c", "a"), 1)
    kind, data = re.search(r"data:image/([^;]*);base64,([^\"]*)", html).groups()
    assert kind == "svg+xml"
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
    # Four inches wide, about as large as the page's text.
    assert 'width="440"' in html

    figure, axes = plt.subplots()
    axes.scatter(*np.random.default_rng(0).random((2, 6000)), c=np.arange(6000))
    plt.close(figure)
    assert "data:image/webp;base64," in figure_html(PageFigure("F", figure, "c", "a"), 1)
