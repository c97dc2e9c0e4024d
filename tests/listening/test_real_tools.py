"""The export in the real tools, and their results back: a round trip by real pointer.

Runs where FXNORM_WEBMUSHRA and FXNORM_WAET name copies of webMUSHRA and of the Web Audio Evaluation
Tool, php is installed (`apt-get install php-cli php-xml`), and so is Chromium.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browser import open_browser

from fxnorm.audio import write
from fxnorm.listening import (
    Criterion,
    ListeningConfig,
    ListeningSong,
    analyze,
    export_stimuli,
    read_key,
    read_results,
)

RATE = 44_100
SYSTEMS = ("human", "ours")
CONFIG = ListeningConfig(
    name="It's: “a test” #1",
    excerpt_s=1.5,
    criteria=(
        Criterion(id="clarity", title="Clarity: & more", question="How clear is it <really>?"),
        Criterion(id="width", title="Width", question="How wide?"),
    ),
)


def find_tool(variable: str) -> Path:
    if variable not in os.environ:
        pytest.skip(f"{variable} does not name a copy of the tool")
    if shutil.which("php") is None:
        pytest.skip("php is not installed")
    return Path(os.environ[variable])


@contextmanager
def serve(tool: Path, folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """A copy of a tool with an export in it, served by PHP: address, the copy, the export."""
    rng = np.random.default_rng(0)
    songs = []
    for name in ("One", "Two"):
        mixes = {system: folder / "source" / f"{name}-{system}.wav" for system in SYSTEMS}
        for path in mixes.values():
            write(path, 0.1 * rng.standard_normal((2 * RATE, 2)).astype(np.float32), RATE)
        songs.append(ListeningSong(name, mixes, [mixes["human"]]))
    export_stimuli(songs, folder / "test", CONFIG, seed=2)
    root = folder / "tool"
    shutil.copytree(tool, root)
    shutil.copytree(folder / "test" / "hosted", root / "fxnorm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    words = ["php", "-S", host, "-t", str(root)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{host}", root, folder / "test"
    finally:
        server.terminate()
        server.wait()


def goto(page, address: str) -> None:
    """Open a page once its server is up."""
    for _ in range(50):
        try:
            page.goto(address)
            return
        except Exception:
            page.wait_for_timeout(100)
    page.goto(address)


def test_webmushra_runs_the_export_and_its_results_are_analyzed(tmp_path) -> None:
    tool = find_tool("FXNORM_WEBMUSHRA")
    with serve(tool, tmp_path) as (address, root, test), open_browser() as browser:
        shutil.copy(test / "hosted" / "webmushra.yaml", root / "configs")
        (root / "results").mkdir(exist_ok=True)
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        goto(page, f"{address}/?config=webmushra.yaml")
        after = page.locator("#__button_next")
        for _ in range(2):
            after.click()
        given = {}
        for number in range(1, 5):
            page.wait_for_selector("#buttonConditions0")
            for place in range(3):
                page.locator(f"#buttonConditions{place}").click()
                page.wait_for_selector(f"#buttonConditions{place}[active=true]")
                box = page.locator(".ui-slider-track").nth(place).bounding_box()
                rating = 0.2 * number + 0.05 * place
                page.mouse.click(
                    box["x"] + box["width"] / 2, box["y"] + (1.0 - rating) * box["height"]
                )
            scales = page.locator(".scales").all()
            given[number] = sorted(int(scale.input_value()) for scale in scales)
            after.click()
        page.locator("#participant").fill("P7")
        page.locator("#experience_years").fill("12")
        page.locator("label", has_text="Loudspeakers").click()
        page.locator("#send_results:enabled").click()
        page.wait_for_function("() => performance.getEntriesByName(location.origin + "
                               "'/service/write.php').length > 0")  # fmt: skip
        file = root / "results" / "fxnorm" / "mushra.csv"
        results = read_results([file], read_key(test / "key.csv"))
        pages = results.ratings.groupby(["song", "criterion"])["rating"]
        found = sorted(sorted(round(100 * rating) for rating in own) for _, own in pages)
        assert found == sorted(given.values())
        row = results.participants.iloc[0]
        assert (row["name"], row["experience_years"]) == ("P7", "12")
        assert row["equipment"] == "loudspeakers"
        assert list(analyze([file], test / "key.csv").titles.values()) == [
            "Clarity: & more",
            "Width",
        ]


def test_waet_runs_the_export_and_its_results_are_analyzed(tmp_path) -> None:
    tool = find_tool("FXNORM_WAET")
    with serve(tool, tmp_path) as (address, root, test), open_browser() as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 1000})
        goto(page, f"{address}/test.html?url=fxnorm/waet/ape.xml")
        proceed = page.locator("#popup-proceed")
        page.locator("#popupResponse textarea").fill("Ann & co")
        proceed.click()
        page.locator("#popupResponse input").fill("12")
        proceed.click()
        page.locator("#popupResponse input[type=radio]").first.check()
        proceed.click()
        for number in range(2):
            page.wait_for_function(
                "() => document.querySelectorAll('.track-slider:not(.track-slider-disabled)')"
                ".length === 4"
            )
            # Every stimulus must be heard, the reference too.
            page.locator(".outside-reference").click()
            page.wait_for_timeout(300)
            for place in range(4):
                marker = page.locator(".track-slider").nth(place)
                box = marker.bounding_box()
                x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
                page.mouse.move(x, y)
                # A quick click plays, a longer one moves.
                page.mouse.down()
                page.mouse.up()
                page.wait_for_timeout(300)
                page.mouse.down()
                page.wait_for_timeout(250)
                page.mouse.move(300 + 200 * place + 50 * number, y, steps=4)
                page.mouse.up()
            page.locator("#submit-button").click()
        page.wait_for_selector("text=Thank you. Your ratings have been sent.")
        key = read_key(test / "key.csv")
        files = [file for file in (root / "saves").glob("*.xml") if "complete" in file.read_text()]
        results = read_results(files, key)
        assert len(results.ratings) == 2 * 2 * 2
        assert results.ratings["rating"].nunique() == 8
        row = results.participants.iloc[0]
        assert (row["name"], row["experience_years"]) == ("Ann & co", "12")
        assert row["equipment"] == "headphones"
        analysis = analyze(files, test / "key.csv")
        assert analysis.summary["n"].tolist() == [1, 1, 1, 1]
