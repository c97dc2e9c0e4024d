import time

from fxnorm.progress import fraction_done, progress


def test_progress_prints_plain_lines_without_a_terminal(capsys):
    assert list(progress(iter("abc"), 3, "reading", "songs")) == ["a", "b", "c"]
    assert "reading: 3/3 songs" in capsys.readouterr().err


def test_fractions_become_lines_now_and_then(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with fraction_done("mix") as report:
        report(0.1)
        now[0] += 30.0
        report(0.25)
        report(0.3)
    assert capsys.readouterr().err == "mix: 25%, 90 s left\n"
