"""What tests of the test page share: an export of tones, and going through its screens."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from fxnorm.audio import write
from fxnorm.listening import (
    Criterion,
    ListeningConfig,
    ListeningSong,
    OwnPageConfig,
    export_stimuli,
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
