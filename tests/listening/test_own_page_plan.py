"""Orders of songs, criteria and markers, and who rates which songs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
