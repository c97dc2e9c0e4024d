"""The report page in a browser: sound, switching, sorting and keys."""

import numpy as np
import pandas as pd
import pytest
from page_browser import listening_script

from fxnorm.audio import write
from fxnorm.reporting.page import PageConfig, PageSong, PageTable, write_page

RATE = 44_100
SECONDS = 4.0
TONES_HZ = (500.0, 2000.0)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with two songs, of which each version is a tone of its own."""
    folder = tmp_path_factory.mktemp("page")
    time = np.arange(round(SECONDS * RATE)) / RATE
    for frequency in TONES_HZ:
        write(folder / f"{frequency:.0f}.wav", 0.3 * np.sin(2 * np.pi * frequency * time), RATE)
    versions = {f"{frequency:.0f} Hz": folder / f"{frequency:.0f}.wav" for frequency in TONES_HZ}
    frame = pd.DataFrame({"system": ["b", "a", "c"], "error": [10.5, 9.25, np.nan]})
    write_page(
        folder / "index.html",
        title="Test",
        introduction="Text.",
        tables=[PageTable("Errors", frame, "")],
        songs=[PageSong("One", "wet", versions), PageSong("Two", "dry", versions)],
        config=PageConfig(seconds=SECONDS, bitrate_kbps=128),
    )
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on(
        "request",
        lambda request: (
            problems.append(request.url) if not request.url.startswith(("file:", "data:")) else None
        ),
    )
    page.add_init_script(listening_script(TONES_HZ))
    page.goto(address)
    yield page
    page.close()
    assert problems == []


def player(page, number: int = 1):
    return page.locator(".player").nth(number - 1)


def clock(page, number: int = 1) -> float:
    return float(player(page, number).locator(".clock").inner_text().split(" /")[0])


def wait_until_heard(page, version: int) -> None:
    """Wait until one tone sounds and the other does not: 40 dB apart."""
    page.wait_for_function(
        "v => { if (!window.tap) return false; const s = spectrum();"
        " return s[v] > -60 && s[v] > s[1 - v] + 40; }",
        arg=version,
    )


def pressed(page, number: int = 1) -> list[str]:
    choices = player(page, number).locator(".choose").all()
    return [choice.get_attribute("aria-pressed") for choice in choices]


def test_playing_sounds_and_moves_and_pausing_stops_both(page) -> None:
    button = player(page).locator(".play")
    assert button.get_attribute("aria-label") == "Play"
    button.click()
    wait_until_heard(page, 0)
    page.wait_for_function("() => tap.context.currentTime > 0.3")
    assert button.get_attribute("aria-label") == "Pause"
    button.click()
    assert button.get_attribute("aria-label") == "Play"
    stopped = clock(page)
    assert stopped > 0.0
    page.wait_for_function("() => spectrum()[0] < -90")
    assert clock(page) == stopped


def test_all_versions_start_at_one_moment_and_switching_starts_nothing_anew(page) -> None:
    player(page).locator(".play").click()
    wait_until_heard(page, 0)
    before = clock(page)
    player(page).locator(".choose").nth(1).click()
    wait_until_heard(page, 1)
    assert pressed(page) == ["false", "true"]
    assert clock(page) >= before
    starts = page.evaluate("starts")
    assert len(starts) == len(TONES_HZ)
    assert starts[0] == starts[1]


def test_keys_play_switch_and_seek(page) -> None:
    player(page).locator(".seek").focus()
    page.keyboard.press("2")
    assert pressed(page) == ["false", "true"]
    page.keyboard.press(" ")
    wait_until_heard(page, 1)
    page.keyboard.press("1")
    wait_until_heard(page, 0)
    page.keyboard.press("ArrowDown")
    assert pressed(page) == ["false", "true"]
    page.keyboard.press("9")
    assert pressed(page) == ["false", "true"]
    page.keyboard.press(" ")
    page.wait_for_selector(".player[data-song='1']:not(.playing)")
    page.keyboard.press("Home")
    assert clock(page) == 0.0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert clock(page) == 2.0
    page.keyboard.press("ArrowLeft")
    assert clock(page) == 1.0


def test_space_on_a_version_chooses_it_first_and_plays_then(page) -> None:
    player(page).locator(".choose").nth(1).focus()
    page.keyboard.press(" ")
    assert pressed(page) == ["false", "true"]
    assert page.locator(".playing").count() == 0
    page.keyboard.press(" ")
    wait_until_heard(page, 1)


def test_keys_outside_the_players_go_to_the_one_last_used(page) -> None:
    page.keyboard.press(" ")
    assert page.locator(".playing").count() == 0
    player(page, 2).locator(".choose").nth(1).click()
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    wait_until_heard(page, 1)
    assert player(page, 2).get_attribute("class") == "player playing"


def test_starting_a_song_stops_the_other(page) -> None:
    player(page).locator(".play").click()
    wait_until_heard(page, 0)
    player(page, 2).locator(".play").click()
    page.wait_for_selector(".player.playing >> text=Two")
    assert page.locator(".playing").count() == 1


def test_a_click_into_a_waveform_seeks_and_switches(page) -> None:
    wave = player(page).locator(".wave").nth(1)
    box = wave.bounding_box()
    wave.click(position={"x": box["width"] / 2, "y": 5})
    assert pressed(page) == ["false", "true"]
    # Half of the excerpt, to a pixel.
    assert clock(page) == pytest.approx(SECONDS / 2, abs=0.1)


def test_seeking_while_playing_keeps_playing(page) -> None:
    player(page).locator(".play").click()
    wait_until_heard(page, 0)
    player(page).locator(".seek").focus()
    page.keyboard.press("ArrowRight")
    assert clock(page) >= 1.0
    wait_until_heard(page, 0)


def test_looping_goes_on_and_without_it_the_song_ends(page) -> None:
    loop = player(page).locator(".loop")
    assert loop.get_attribute("aria-pressed") == "true"
    wave = player(page).locator(".wave").first
    box = wave.bounding_box()
    near_end = {"x": box["width"] * 0.9, "y": 5}
    wave.click(position=near_end)
    player(page).locator(".play").click()
    page.wait_for_function("() => parseFloat(document.querySelector('.clock').textContent) < 2")
    wait_until_heard(page, 0)
    loop.click()
    assert loop.get_attribute("aria-pressed") == "false"
    wave.click(position=near_end)
    page.wait_for_selector(".player[data-song='1']:not(.playing)")
    assert clock(page) == 0.0


def test_columns_sort_both_ways_with_missing_values_last(page) -> None:
    def column() -> list[str]:
        return page.locator("tbody tr :first-child").all_inner_texts()

    error = page.get_by_role("button", name="error")
    error.focus()
    page.keyboard.press("Enter")
    assert column() == ["a", "b", "c"]
    assert page.get_by_role("columnheader", name="error").get_attribute("aria-sort") == "ascending"
    page.keyboard.press(" ")
    assert column() == ["b", "a", "c"]
    page.get_by_role("button", name="system").click()
    assert column() == ["a", "b", "c"]
    assert page.get_by_role("columnheader", name="error").get_attribute("aria-sort") is None


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_reaches_beyond_the_window(page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_control_has_a_name(page) -> None:
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, a')].filter((e) =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_an_excerpt_that_cannot_be_decoded_is_reported(page) -> None:
    page.evaluate("document.getElementById('audio-1-2').textContent = btoa('not audio')")
    player(page).locator(".play").click()
    page.wait_for_selector(".status >> text=can't decode")
    assert page.locator(".playing").count() == 0
