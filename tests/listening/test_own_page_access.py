"""The test page by keyboard, by finger, with a screen reader and at any size.

The accessibility checker axe-core runs where FXNORM_AXE names its `axe.min.js`.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from visiting import begin, centre, drag, hear, rate_page, title, value, values, wait_until_loaded

from fxnorm.listening import (
    read_key,
    read_results,
)


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
