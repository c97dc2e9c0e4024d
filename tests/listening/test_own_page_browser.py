"""The test page in a browser, by real pointer and keys, from the first screen to the results.

The accessibility checker axe-core runs where FXNORM_AXE names its `axe.min.js`.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import open_browser

from fxnorm.audio import write
from fxnorm.listening import (
    Criterion,
    Ignored,
    ListeningConfig,
    ListeningSong,
    OwnPageConfig,
    analyze,
    export_stimuli,
    read_key,
    read_results,
)

RATE = 44_100
SECONDS = 3.0
TONE_HZ = 1000.0
SYSTEMS = ("human", "ours", "wun")
CRITERIA = (
    Criterion(id="clarity", title="Clarity", question="How clear?", low="Muddy", high="Clear"),
    Criterion(id="width", title="Width", question="How wide?"),
)
# Keeps what is last before the loudspeakers, and when sources were started.
LISTEN = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) window.last = this;
  return connect.call(this, target, ...rest);
};
const start = AudioBufferSourceNode.prototype.start;
window.starts = [];
AudioBufferSourceNode.prototype.start = function (...when) {
  window.starts.push(when);
  return start.apply(this, when);
};
"""
# Records every sample from here on.
RECORD = """
async () => {
  const text = `registerProcessor("recorder", class extends AudioWorkletProcessor {
    process([[left]]) { if (left) this.port.postMessage(left.slice()); return true; }
  })`;
  const { context } = last;
  const module = new Blob([text], { type: "text/javascript" });
  await context.audioWorklet.addModule(URL.createObjectURL(module));
  const recorder = new AudioWorkletNode(context, "recorder");
  window.recorded = [];
  recorder.port.onmessage = ({ data }) => recorded.push(...data);
  last.connect(recorder).connect(context.destination);
}
"""


def export(folder: Path, songs: int = 2, systems: tuple[str, ...] = SYSTEMS, **settings) -> Path:
    """A test whose mixes are one tone, each system's an eighth of a turn later than the last's."""
    time = np.arange(round(4 * RATE)) / RATE
    turn = 2 * np.pi * TONE_HZ * time
    found = []
    for song in range(songs):
        mixes = {}
        for place, system in enumerate(systems):
            mixes[system] = folder / "source" / f"{song}-{system}.wav"
            write(mixes[system], 0.3 * np.sin(turn + place * np.pi / 4), RATE)
        found.append(ListeningSong(f"Song {song}", mixes, [mixes["human"]]))
    config = ListeningConfig(
        name="Mixes & more", excerpt_s=SECONDS, criteria=settings.pop("criteria", CRITERIA[:1]),
        page=OwnPageConfig(**settings),
    )  # fmt: skip
    export_stimuli(found, folder / "test", config, seed=5)
    return folder / "test"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """One song, three mixes, one criterion, no training."""
    return export(tmp_path_factory.mktemp("small"), songs=1, training=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Two songs, two criteria, training, and a page that is met twice."""
    return export(tmp_path_factory.mktemp("whole"), criteria=CRITERIA, repeated_pages=1)


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """Open an export's page; whatever it complains of or asks the network for fails the test."""
    problems: list[str] = []
    contexts = []

    def open_page(folder: Path | str, *, script: str = LISTEN, quiet: bool = True, **options):
        address = folder if isinstance(folder, str) else (folder / "hosted/index.html").as_uri()
        contexts.append(browser.new_context(accept_downloads=True, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        if quiet:
            page.on("console", lambda message: problems.append(message.text))
        own = "file:" if isinstance(folder, Path) and quiet else "http://127.0.0.1"
        allowed = ("file:", "data:", "blob:", own)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(allowed) else problems.append(request.url)
            ),
        )
        if script:
            page.add_init_script(script)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def click(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def title(page) -> str:
    return page.locator("h1").inner_text()


def begin(page, participant: str = "P1") -> None:
    """From the first screen to the one after the volume check."""
    page.get_by_label("I agree").check()
    page.get_by_label("Name or code").fill(participant)
    click(page, "Begin")
    click(page, "Next")
    click(page, "Play")
    page.wait_for_selector("text=The volume is set.")
    click(page, "Next")


def wait_until_loaded(page) -> None:
    page.wait_for_selector(".rating:not(:has(.load))")


def centre(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, place: int, value: float) -> None:
    """Take a marker by the pointer to a value on the axis."""
    marker, track = page.locator(".marker").nth(place), page.locator(".track").bounding_box()
    marker.scroll_into_view_if_needed()
    track = page.locator(".track").bounding_box()
    size = marker.bounding_box()["width"]
    page.mouse.move(*centre(marker))
    page.mouse.down()
    goal = track["x"] + size / 2 + value * (track["width"] - size)
    page.mouse.move(goal, centre(marker)[1] - 10, steps=3)
    page.mouse.up()


def value(page, place: int) -> int:
    return int(page.locator(".marker").nth(place).get_attribute("aria-valuenow"))


def values(page) -> list[int]:
    return [value(page, place) for place in range(page.locator(".marker").count())]


def hear(page, place: int, key: str | None = None) -> None:
    if key is None:
        page.mouse.click(*centre(page.locator(".marker").nth(place)))
    else:
        page.keyboard.press(key)
    page.wait_for_function(
        "place => !/heard( or|$)/.test(document.querySelectorAll('.state')[place].textContent)",
        arg=place,
    )


def rate_page(page, ratings: list[float]) -> None:
    wait_until_loaded(page)
    for place, rating in enumerate(ratings):
        page.locator(".marker").nth(place).scroll_into_view_if_needed()
        hear(page, place)
        drag(page, place, rating)
    assert page.locator(".remaining").inner_text() == "All mixes are heard and moved."


def answer(page) -> None:
    page.get_by_label("Years of mixing experience").fill("7")
    page.get_by_label("Headphones").check()
    page.get_by_label("Remarks (optional)").fill('All "good", really\n= nice; ä')
    click(page, "Finish")


def download(page, kind: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        click(page, f"Download {kind}")
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_from_the_first_screen_to_results_that_are_analyzed(visit, whole, tmp_path) -> None:
    page = visit(whole)
    assert title(page) == "Mixes & more"
    begin(page, "Ä & Co 3")
    assert title(page).startswith("Try it out")
    rate_page(page, [0.5, 0.5, 0.5])
    click(page, "Next")
    for number in range(1, 6):
        assert page.locator(".progress label").inner_text() == f"Page {number} of 5"
        # Its own rating for each page and mix.
        rate_page(page, [0.1 * number, 0.2 + 0.1 * number, 0.4 + 0.1 * number])
        page.get_by_label("Comment on mix 2 (optional)").fill(f'page {number}, "loud"')
        click(page, "Next")
    answer(page)
    assert title(page) == "Thank you"
    files = [download(page, kind, tmp_path) for kind in ("JSON", "CSV")]
    assert files[0].name.startswith("fxnorm_Ä-Co-3_")

    document = json.loads(files[0].read_text(encoding="utf-8"))
    assert document["questionnaire"]["remarks"] == 'All "good", really\n= nice; ä'
    assert len(document["order"]) == 5
    for number, shown in enumerate(document["order"], start=1):
        own = [r for r in document["ratings"] if (r["page"], r["criterion"], r["trial"]) == (
            shown["page"], shown["criterion"], shown["trial"])]  # fmt: skip
        assert [rating["stimulus"] for rating in own] == shown["stimuli"]
        expected = [0.1 * number, 0.2 + 0.1 * number, 0.4 + 0.1 * number]
        # A pixel of the axis is 0.1 %; the pointer moves by whole ones.
        np.testing.assert_allclose([r["rating"] for r in own], expected, atol=0.005)
        assert all(rating["seconds"] >= 0.5 for rating in own)

    read = [read_results([file], read_key(whole / "key.csv")) for file in files]
    pd.testing.assert_frame_equal(read[0].ratings, read[1].ratings)
    pd.testing.assert_frame_equal(read[0].repeats, read[1].repeats)
    assert len(read[0].ratings) == 2 * 2 * 3
    assert len(read[0].repeats) == 3
    assert set(read[0].ratings["comment"]) >= {"", 'page 1, "loud"'}
    assert read[0].participants["experience_years"].tolist() == ["7"]
    analysis = analyze(files, whole / "key.csv", tmp_path / "found")
    assert analysis.participants["participant"].tolist() == ["Ä & Co 3"]
    assert analysis.participants["repeats"].tolist() == [3]


def press_until(page, key: str, condition: str, most: int = 60) -> None:
    """Press a key until what has the focus fulfils a condition."""
    for _ in range(most):
        if page.evaluate(f"(() => {{ const e = document.activeElement; return {condition}; }})()"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no focus with {condition}")


def test_the_keyboard_alone_is_enough(visit, small, tmp_path) -> None:
    page = visit(small)
    press_until(page, "Tab", "e.id === 'agree'")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("K9")
    page.keyboard.press("Enter")
    assert title(page) == "What to do"
    for word in ("Next", "Play"):
        press_until(page, "Tab", f"e.textContent === '{word}'")
        page.keyboard.press("Enter")
    page.wait_for_selector("text=The volume is set.")
    press_until(page, "Tab", "e.textContent === 'Next'")
    page.keyboard.press("Enter")
    assert title(page) == "Clarity"
    wait_until_loaded(page)
    for place, goal in enumerate((20, 55, 90)):
        press_until(page, "Tab", f"e.textContent === '{place + 1}' && e.role === 'slider'")
        hear(page, place, str(place + 1))
        page.keyboard.press("Home")
        assert value(page, place) == 0
        for _ in range(goal // 10):
            page.keyboard.press("Shift+ArrowRight")
        for _ in range(goal % 10):
            page.keyboard.press("ArrowUp")
    assert values(page) == [20, 55, 90]
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")
    assert values(page)[2] == 79
    page.keyboard.press("End")
    assert values(page)[2] == 100
    press_until(page, "Tab", "e.textContent === 'Next'")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "e.id === 'experience_years'")
    page.keyboard.type("12")
    press_until(page, "Tab", "e.type === 'radio'")
    page.keyboard.press("ArrowDown")
    press_until(page, "Tab", "e.textContent === 'Finish'")
    page.keyboard.press("Enter")
    assert title(page) == "Thank you"
    press_until(page, "Tab", "e.textContent === 'Download CSV'")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(tmp_path / "results.csv")
    results = read_results([tmp_path / "results.csv"], read_key(small / "key.csv"))
    assert sorted(results.ratings["rating"]) == [0.2, 0.55, 1.0]
    assert results.participants["equipment"].tolist() == ["loudspeakers"]


def test_nobody_goes_on_without_hearing_and_moving_every_mix(visit, small) -> None:
    page = visit(small)
    begin(page)
    wait_until_loaded(page)
    after = page.get_by_role("button", name="Next", exact=True)
    assert after.get_attribute("aria-disabled") == "true"
    # A real click, which playwright keeps from what says that it is disabled.
    after.click(force=True)
    assert page.locator(".status").inner_text() == "Still to hear: 1, 2, 3. Still to move: 1, 2, 3."
    hear(page, 0)
    hear(page, 2, "3")
    drag(page, 1, 0.3)
    after.click(force=True)
    assert page.locator(".status").inner_text() == "Still to hear: 2. Still to move: 1, 3."
    assert title(page) == "Clarity"
    notes = page.locator(".state").all_inner_texts()
    assert notes == ["not yet moved", "not yet heard", "not yet moved"]
    assert page.locator(".marker").nth(1).get_attribute("aria-valuetext") == (
        "30 of 100, not yet heard"
    )
    # A click on a marker is no move of it.
    assert page.locator(".marker.done").count() == 0


def test_consent_and_a_name_are_needed(visit, small) -> None:
    page = visit(small)
    page.get_by_label("Name or code").fill("P1")
    click(page, "Begin")
    assert title(page) == "Mixes & more"
    page.get_by_label("I agree").check()
    page.get_by_label("Name or code").fill("  ")
    click(page, "Begin")
    assert title(page) == "Mixes & more"


def test_all_is_kept_over_a_reload_and_closing_until_it_is_deleted(visit, small) -> None:
    page = visit(small)
    begin(page)
    wait_until_loaded(page)
    hear(page, 0)
    drag(page, 0, 0.42)
    page.get_by_label("Comment on mix 3 (optional)").fill("boxy")
    kept = values(page)
    page.reload()
    assert title(page) == "Go on where you stopped?"
    assert "P1 has begun this test on this computer (Page 1 of 1)." in page.inner_text("main")
    click(page, "Go on")
    wait_until_loaded(page)
    assert values(page) == kept
    assert page.locator(".state").all_inner_texts()[0] == "heard and moved"
    assert page.get_by_label("Comment on mix 3 (optional)").input_value() == "boxy"

    again = page.context.new_page()
    page.close()
    again.goto((small / "hosted/index.html").as_uri())
    click(again, "Start over")
    click(again, "Keep it")
    assert title(again) == "Go on where you stopped?"
    click(again, "Start over")
    click(again, "Delete and start over")
    assert title(again) == "Mixes & more"
    again.reload()
    assert title(again) == "Mixes & more"


def test_results_are_still_there_after_closing_at_the_end(visit, small, tmp_path) -> None:
    page = visit(small)
    begin(page)
    rate_page(page, [0.1, 0.5, 0.9])
    click(page, "Next")
    answer(page)
    first = download(page, "JSON", tmp_path).read_text()
    page.reload()
    assert title(page) == "Thank you"
    assert download(page, "JSON", tmp_path).read_text() == first


def test_a_browser_that_keeps_nothing_says_so_and_goes_on(visit, small) -> None:
    full = "Storage.prototype.setItem = () => { throw new DOMException('full'); };"
    page = visit(small, script=full)
    begin(page)
    wait_until_loaded(page)
    drag(page, 0, 0.3)
    assert "This browser keeps nothing" in page.locator(".status").inner_text()
    assert value(page, 0) == 30


def phase(samples: np.ndarray, start: int) -> float:
    """Phase of the tone in a stretch of 20 ms, on the clock of the whole recording, in turns."""
    time = (start + np.arange(882)) / RATE
    wave = np.exp(-2j * np.pi * TONE_HZ * time)
    return float(np.angle(samples[start : start + 882] @ wave) / (2 * np.pi))


def record(page, seconds: float) -> np.ndarray:
    """What is played for so long."""
    page.evaluate("() => { recorded.length = 0; }")
    page.wait_for_function("length => recorded.length >= length", arg=round(seconds * RATE))
    return np.array(page.evaluate("() => recorded"))


def assert_no_clicks(samples: np.ndarray) -> None:
    """No two samples differ by more than those of the tone do: a click would."""
    level = np.abs(samples).max()
    slope = np.abs(np.diff(samples)).max()
    assert slope < 1.15 * 2.0 * np.pi * TONE_HZ / RATE * level


@pytest.fixture
def recorded(visit, small) -> Iterator:
    """The page for rating, from a server, with all that is played recorded.

    A page from a folder could not load the recorder, and the page's policy would not let it.
    """
    with serve(small / "hosted") as server:
        page = visit(f"http://127.0.0.1:{server.server_port}/index.html", bypass_csp=True)
        begin(page)
        wait_until_loaded(page)
        page.evaluate(RECORD)
        page.evaluate("() => { starts.length = 0; }")
        yield page


def test_switching_is_exact_to_the_sample_and_does_not_click(recorded) -> None:
    page = recorded
    page.keyboard.press("1")
    record(page, 0.2)
    turns = []
    for key in ("2", "3", "1"):
        page.evaluate("() => { recorded.length = 0; }")
        page.wait_for_function("() => recorded.length > 5000")
        page.keyboard.press(key)
        page.wait_for_function("length => recorded.length > length + 20_000", arg=5000)
        samples = np.array(page.evaluate("() => recorded"))
        assert_no_clicks(samples)
        turns.append(8 * (phase(samples, samples.size - 2000) - phase(samples, 2000)) % 8)
    # Mixes differ by whole eighths of a turn; a sample of delay would be 0.18 of an eighth.
    whole = np.rint(turns)
    np.testing.assert_allclose(turns, whole, atol=0.03)
    # 1 to 2, 2 to 3 and 3 to 1 are a round through all.
    assert whole.sum() % 8 == 0
    assert set(whole % 8) <= {1, 2, 6, 7}


def test_all_mixes_start_at_one_moment_and_switching_starts_nothing_anew(recorded) -> None:
    page = recorded
    page.keyboard.press("1")
    record(page, 0.2)
    for key in ("2", "0", "3"):
        page.keyboard.press(key)
        record(page, 0.2)
    starts = page.evaluate("() => starts")
    # Three mixes and the reference, and possibly the next round.
    assert starts[:4] == [starts[0]] * 4
    assert starts[0][1] == 0
    for time, offset in starts[4:]:
        assert (time - starts[0][0]) % (SECONDS - 0.012) == pytest.approx(0.0, abs=1e-6)
        assert offset == 0


def test_a_part_is_repeated_without_gap_or_click(recorded) -> None:
    page = recorded
    for name, key, times in (("Repeat from", "ArrowRight", 10), ("Repeat to", "ArrowLeft", 12)):
        page.get_by_label(name).focus()
        for _ in range(times):
            page.keyboard.press(key)
    page.get_by_role("button", name="Play mix 1").click()
    record(page, 0.2)
    places = []
    for _ in range(10):
        samples = record(page, 0.25)
        assert_no_clicks(samples)
        # Never silent: where one round fades out, the next fades in.
        blocks = np.abs(samples[: samples.size // 128 * 128]).reshape(-1, 128).max(axis=1)
        assert blocks.min() > 0.3 * blocks.max()
        places.append(float(page.locator(".clock").inner_text().split(" /")[0]))
    assert min(places) >= 1.0
    assert max(places) <= SECONDS - 1.2 + 0.05
    assert np.ptp(places) > 0.3


def test_pausing_is_silent_and_goes_on_where_it_stopped(recorded) -> None:
    page = recorded
    page.keyboard.press("1")
    assert np.abs(record(page, 0.7)).max() > 0.05
    page.keyboard.press(" ")
    clock = page.locator(".clock").inner_text()
    record(page, 0.2)
    assert np.abs(record(page, 0.2)).max() < 1e-4
    assert page.locator(".clock").inner_text() == clock
    page.keyboard.press(".")
    page.keyboard.press(",")
    assert page.locator(".clock").inner_text() == clock
    assert page.get_by_role("button", name="Play", exact=True).count() == 1


def test_what_plays_is_said_and_shown(visit, small) -> None:
    page = visit(small)
    begin(page)
    wait_until_loaded(page)
    page.keyboard.press("2")
    page.wait_for_selector(".marker.playing >> text=2")
    assert page.locator(".status").inner_text() == "Mix 2 is playing."
    assert page.get_by_role("button", name="Play mix 2").get_attribute("aria-pressed") == "true"
    page.keyboard.press("0")
    page.wait_for_selector(".reference[aria-pressed=true]")
    assert page.locator(".marker.playing").count() == 0
    # What is typed in a comment is no command.
    page.get_by_label("Comment on mix 1 (optional)").press_sequentially("1 to 3 ")
    assert page.locator(".marker.playing").count() == 0


def test_sliders_headings_and_progress_have_names(visit, small) -> None:
    page = visit(small)
    begin(page)
    names = [slider.get_attribute("aria-label") for slider in page.get_by_role("slider").all()]
    assert names[:3] == ["Place in the song", "Repeat from", "Repeat to"]
    assert names[3:] == [f"Mix {number}, Clarity" for number in (1, 2, 3)]
    assert page.get_by_role("progressbar", name="Page 1 of 1").count() == 1
    assert page.get_by_role("status").count() == 1
    # Readers begin at the heading of what is new.
    assert page.evaluate("() => document.activeElement.tagName") == "H1"
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('button, input, textarea')].filter((e) =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length"
    )
    assert unnamed == 0


@pytest.mark.parametrize("width", [1366, 683, 390])
def test_nothing_reaches_beyond_the_window_nor_covers_anything(visit, small, width: int) -> None:
    page = visit(small, viewport={"width": width, "height": 768})
    begin(page)
    wait_until_loaded(page)
    for place in range(3):
        drag(page, place, 0.5)
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    boxes = [marker.bounding_box() for marker in page.locator(".marker").all()]
    heights = sorted(box["y"] for box in boxes)
    assert min(np.diff(heights)) >= boxes[0]["height"]
    # Large enough for a finger.
    assert boxes[0]["height"] >= 44


def test_a_finger_moves_markers_without_scrolling(visit, small) -> None:
    page = visit(small, viewport={"width": 820, "height": 1180}, has_touch=True)
    begin(page)
    wait_until_loaded(page)
    marker, track = page.locator(".marker").first, page.locator(".track").bounding_box()
    session = page.context.new_cdp_session(page)
    x, y = centre(marker)
    moves = [(x, y), (x, y), (track["x"] + track["width"] - 10, y), (track["x"] + 5000, y)]
    for kind, (left, top) in zip(("Start", "Move", "Move", "Move"), moves, strict=True):
        points = [{"x": left, "y": top}]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("() => document.querySelector('.marker').ariaValueNow === '100'")
    assert page.evaluate("() => scrollY") == 0


def test_axe_finds_nothing(visit, whole) -> None:
    axe = os.environ.get("FXNORM_AXE")
    if axe is None:
        pytest.skip("FXNORM_AXE does not name axe.min.js")
    for scheme in ("light", "dark"):
        page = visit(whole, color_scheme=scheme)
        session = page.context.new_cdp_session(page)
        session.send("Runtime.evaluate", {"expression": Path(axe).read_text()})
        run = "axe.run().then((found) => JSON.stringify(found.violations.map((v) => v.id)))"

        def found(session=session, run=run) -> str:
            options = {"expression": run, "awaitPromise": True, "returnByValue": True}
            return session.send("Runtime.evaluate", options)["result"]["value"]

        assert found() == "[]"
        begin(page)
        wait_until_loaded(page)
        assert found() == "[]"
        rate_page(page, [0.2, 0.2, 0.9])
        assert found() == "[]"


PLAN = """
([test, count]) => Array.from({ length: count }, (_, number) => {
  const plan = makePlan(test, `P${number + 1}`);
  return plan.pages.map(({ song, criterion, trial, stimuli, starts }) =>
    ({ song: song.id, criterion: criterion.id, trial, stimuli, starts }));
})
"""


@pytest.fixture(scope="module")
def make_plans(browser) -> Callable:
    """Plans of the participants P1, P2 and so on, of a test of six songs."""
    folder = Path(__file__).parents[2] / "fxnorm" / "listening" / "page"
    page = browser.new_page()
    text = "".join((folder / name).read_text() for name in ("random.js", "plan.js"))
    page.add_script_tag(content=text)
    songs = [{"id": f"song{n}", "stimuli": [f"s{n}{m}" for m in "abcde"]} for n in range(6)]
    criteria = [{"id": name} for name in ("clarity", "width", "depth")]
    test = {"seed": "7", "songs": songs, "criteria": criteria, "training": True}

    def plans(count: int, **settings) -> list[list[dict]]:
        given = test | {"songsPerParticipant": None, "repeatedPages": 0} | settings
        return page.evaluate(PLAN, [given, count])

    return plans


def test_orders_differ_by_participant_and_are_drawn_again_the_same(make_plans) -> None:
    plans = make_plans(60)
    assert plans == make_plans(60)
    assert plans != make_plans(60, seed="8")
    criteria = [tuple(dict.fromkeys(page["criterion"] for page in plan)) for plan in plans]
    # All six orders, and criteria one after another.
    assert len(set(criteria)) == 6
    for plan in plans:
        assert len({(page["criterion"], page["song"]) for page in plan}) == len(plan) == 18
        blocks = [page["criterion"] for page in plan]
        assert [block for n, block in enumerate(blocks) if block != blocks[n - 1]] in (
            list(dict.fromkeys(blocks)),
            [],
        )
        for page in plan:
            assert sorted(page["stimuli"]) == [f"s{page['song'][4:]}{m}" for m in "abcde"]
    firsts = [plan[0]["song"] for plan in plans]
    places = [page["stimuli"].index(page["stimuli"][0][:2] + "a") for p in plans for page in p]
    # Uniform over 60 participants and 1080 pages, within four standard errors.
    assert max(abs(firsts.count(f"song{n}") - 10) for n in range(6)) <= 4 * np.sqrt(10 * 5 / 6)
    for place in range(5):
        assert abs(places.count(place) - 216) <= 4 * np.sqrt(216 * 4 / 5)
    starts = np.array([start for plan in plans for page in plan for start in page["starts"]])
    assert starts.mean() == pytest.approx(0.5, abs=0.02)
    assert starts.std() == pytest.approx(np.sqrt(1 / 12), abs=0.02)


def test_a_subset_of_songs_is_balanced_over_participants(make_plans) -> None:
    for count in (2, 4):
        plans = make_plans(6, songsPerParticipant=count)
        rated = [page["song"] for plan in plans for page in plan]
        assert {rated.count(f"song{number}") for number in range(6)} == {6 * count * 3 // 6}
        assert all(len({page["song"] for page in plan}) == count for plan in plans)


def test_repeated_pages_come_later_within_their_criterion(make_plans) -> None:
    for plan in make_plans(20, repeatedPages=3):
        assert len(plan) == 21
        again = [place for place, page in enumerate(plan) if page["trial"] == 2]
        assert len(again) == 3
        for place in again:
            page = plan[place]
            pair = (page["criterion"], page["song"])
            (first,) = [
                n for n, p in enumerate(plan)
                if (p["criterion"], p["song"]) == pair and p["trial"] == 1
            ]  # fmt: skip
            assert place - first > 1
            assert all(p["criterion"] == page["criterion"] for p in plan[first:place])
            assert page["starts"] != plan[first]["starts"]


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and takes results after a number of failures."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        status = 200 if len(self.server.bodies) > self.server.failures else 503
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@contextmanager
def serve(folder: Path, failures: int = 0, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    address = ("127.0.0.1", port)
    with ThreadingHTTPServer(address, partial(Handler, directory=str(folder))) as server:
        server.bodies, server.failures = [], failures
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_results_are_sent_again_until_they_arrive(visit, tmp_path) -> None:
    with serve(tmp_path / "test" / "hosted", failures=2) as server:
        host = f"http://127.0.0.1:{server.server_port}"
        export(tmp_path, songs=1, training=False, post_to=f"{host}/save")
        # Browsers log what failed, which is what this is about.
        page = visit(f"{host}/index.html", quiet=False)
        begin(page)
        rate_page(page, [0.1, 0.5, 0.9])
        click(page, "Next")
        answer(page)
        page.wait_for_selector("text=Sending failed; trying again in 1 s.")
        page.wait_for_selector("text=Your ratings have been sent.")
        assert len(server.bodies) == 3
        assert len(set(server.bodies)) == 1
        kept = download(page, "JSON", tmp_path)
        page.reload()
        page.wait_for_selector("text=Your ratings have been sent.")
        assert len(server.bodies) == 3
    (tmp_path / "posted.json").write_bytes(server.bodies[-1])
    assert json.loads(server.bodies[-1]) == json.loads(kept.read_text())
    results = read_results([tmp_path / "posted.json", kept], read_key(tmp_path / "test/key.csv"))
    assert len(results.ratings) == 3


def test_nothing_is_lost_when_there_is_no_server(visit, tmp_path) -> None:
    with serve(tmp_path) as server:
        port = server.server_port
    export(tmp_path, songs=1, training=False, post_to=f"http://127.0.0.1:{port}/save")
    hurry = "const later = setTimeout; setTimeout = (f, ms) => later(f, ms / 20);"
    page = visit(tmp_path / "test", script=hurry, quiet=False)
    begin(page)
    rate_page(page, [0.1, 0.5, 0.9])
    click(page, "Next")
    answer(page)
    page.wait_for_selector("text=Your ratings could not be sent.")
    kept = download(page, "JSON", tmp_path)
    click(page, "Start over")
    click(page, "Keep it")
    with serve(tmp_path, port=port) as server:
        click(page, "Send again")
        page.wait_for_selector("text=Your ratings have been sent.")
        assert json.loads(server.bodies[0]) == json.loads(kept.read_text())


def test_a_file_that_is_missing_can_be_asked_for_again(visit, tmp_path) -> None:
    folder = export(tmp_path, songs=1, training=False)
    page = visit(folder, quiet=False)
    begin(page)
    wait_until_loaded(page)
    script = next((folder / "hosted" / "audio").glob("*.js"))
    held = script.read_bytes()
    script.unlink()
    page.reload()
    click(page, "Go on")
    page.wait_for_selector(f"text=audio/{script.name} is not there")
    script.write_bytes(held)
    click(page, "Try again")
    wait_until_loaded(page)
    hear(page, 0)


def test_a_participant_can_be_left_out_by_name(visit, small, tmp_path) -> None:
    page = visit(small)
    begin(page, "Someone")
    rate_page(page, [0.1, 0.5, 0.9])
    click(page, "Next")
    answer(page)
    file = download(page, "JSON", tmp_path)
    other = json.loads(file.read_text()) | {"participant": "Other", "session": "2"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    ignored = Ignored(participants={"Someone": "asleep"})
    files = [file, tmp_path / "other.json"]
    results = read_results(files, read_key(small / "key.csv"), ignored)
    assert set(results.ratings["participant"]) == {"Other"}
