"""The test page in a browser, by real pointer, from the first screen to the results."""

import json

import numpy as np
import pandas as pd
from visiting import (
    answer,
    begin,
    click,
    download,
    drag,
    hear,
    rate_page,
    title,
    value,
    values,
    wait_until_loaded,
)

from fxnorm.listening import (
    analyze,
    read_key,
    read_results,
)


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
        page.get_by_label("Comment on mix 2 (optional)").fill(f'=page {number}, "loud"')
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
    assert set(read[0].ratings["comment"]) >= {"", '=page 1, "loud"'}
    # No formula to a spreadsheet program.
    assert '"\'=page 1, ""loud"""' in files[1].read_text(encoding="utf-8")
    assert read[0].participants["experience_years"].tolist() == ["7"]
    analysis = analyze(files, whole / "key.csv", tmp_path / "found")
    assert analysis.participants["participant"].tolist() == ["Ä & Co 3"]
    assert analysis.participants["repeats"].tolist() == [3]


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
