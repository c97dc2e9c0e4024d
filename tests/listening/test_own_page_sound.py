"""What the test page plays, recorded sample by sample."""

from collections.abc import Iterator

import numpy as np
import pytest
from visiting import RATE, SECONDS, TONE_HZ, begin, serve, wait_until_loaded

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


def clicks(samples: np.ndarray) -> bool:
    """Whether two samples differ by more than those of the tone do."""
    level = np.abs(samples).max()
    slope = np.abs(np.diff(samples)).max()
    return bool(slope >= 1.15 * 2.0 * np.pi * TONE_HZ / RATE * level)


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
        assert not clicks(samples)
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
        rounds = (time - starts[0][0]) / (SECONDS - 0.012)
        assert rounds == pytest.approx(round(rounds), abs=1e-6)
        assert offset == 0


def test_a_part_is_repeated_without_gap_or_click(recorded) -> None:
    page = recorded
    for name, key, times in (("Repeat from", "ArrowRight", 10), ("Repeat to", "ArrowLeft", 12)):
        page.get_by_label(name).focus()
        for _ in range(times):
            page.keyboard.press(key)
    page.get_by_role("button", name="Play mix 1").click()
    record(page, 0.2)
    places, smooth, steady = [], [], []
    for _ in range(10):
        samples = record(page, 0.25)
        smooth.append(not clicks(samples))
        # Never silent: where one round fades out, the next fades in.
        blocks = np.abs(samples[: samples.size // 128 * 128]).reshape(-1, 128).max(axis=1)
        steady.append(blocks.min() > 0.3 * blocks.max())
        places.append(float(page.locator(".clock").inner_text().split(" /")[0]))
    # The browser of a machine that is busy otherwise may be late once; a fault is in every round.
    assert min(sum(smooth), sum(steady)) >= 9
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
    # A second forward and back, or the other way round where less than that is left.
    late = float(clock.split(" /")[0]) > SECONDS / 2.0
    for key in (",", ".") if late else (".", ","):
        page.keyboard.press(key)
    assert page.locator(".clock").inner_text() == clock
    assert page.get_by_role("button", name="Play", exact=True).count() == 1
