"""`fxnorm listen`: from folders of mixes to an export, and from results to findings."""

import csv
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from fxnorm.audio import write
from fxnorm.cli import main

RESULTS = Path(__file__).parents[1] / "listening" / "results"
RATE = 44_100


@pytest.fixture
def folders(tmp_path, write_song) -> list[str]:
    """The options of an export of two songs and one system."""
    rng = np.random.default_rng(0)
    for name in ("One", "Two"):
        write_song(tmp_path / "dry", name, samples=2 * RATE)
        noise = rng.uniform(-0.2, 0.2, (2 * RATE, 2)).astype(np.float32)
        write(tmp_path / "mixes" / "ours" / f"{name}.wav", noise, RATE)
    words = ["listen", "export", "--mixes", str(tmp_path / "mixes"), "--dry", str(tmp_path / "dry")]
    return [*words, "-o", str(tmp_path / "out"), "--seconds", "1"]


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "key.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_export_has_the_settings_that_are_given(tmp_path, folders, capsys) -> None:
    (tmp_path / "consent.txt").write_text("I agree.\n\nReally.")
    options = ["--title", "My test: 1", "--test-id", "mine", "--lufs", "-30", "--common-level"]
    options += ["--criterion", "width=Width|How wide?|Narrow|Wide", "--criterion", "depth=Depth|?"]
    options += ["--consent", str(tmp_path / "consent.txt"), "--no-training", "--hosted-at", "a/b"]
    options += ["--songs-per-participant", "1", "--repeated-pages", "1"]
    assert main([*folders, *options, "--post-to", "https://example.org/save"]) == 0
    assert "6 stimuli of 2 songs; host" in capsys.readouterr().out
    rows = read_rows(tmp_path / "out")
    assert {row["test_id"] for row in rows} == {"mine"}
    assert json.loads(rows[0]["criteria"]) == {"width": "Width", "depth": "Depth"}
    assert float(rows[0]["lufs"]) == pytest.approx(-30.0, abs=0.1)
    text = (tmp_path / "out" / "hosted" / "webmushra.yaml").read_text(encoding="utf-8")
    test = yaml.safe_load(text)
    assert (test["testname"], test["testId"]) == ("My test: 1", "mine")
    assert test["pages"][1]["stimulus"].startswith("a/b/stimuli/s")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--criterion", "width"], "is not ID=TITLE|QUESTION"),
        (["--criterion", "w=a|b|c"], "is not ID=TITLE|QUESTION"),
        (["--criterion", "W=a|b"], "criteria.0.id"),
        (["--title", "two\nlines"], "key 'name'"),
        (["--consent", "gone.txt"], "gone.txt: no such file; give a text file"),
        (["--post-to", "nowhere"], "page.post_to"),
        (["--songs-per-participant", "3"], "3 of 2 songs"),
        (["--seconds", "0"], "excerpt_s"),
    ],
)
def test_wrong_settings_are_one_line_each(folders, capsys, options, message) -> None:
    assert main([*(folders[:-2] if "--seconds" in options else folders), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def page_commands() -> list[list[str]]:
    """The commands of the documentation's page, as the words after `fxnorm`."""
    page = (Path(__file__).parents[2] / "docs" / "listening-test.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [shlex.split(block.replace("\\\n", " "))[1:] for block in blocks]


def test_the_commands_of_the_documentation_run(tmp_path, folders, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("consent.txt", "instructions.txt"):
        Path(name).write_text("Text.")
    shutil.copytree(RESULTS, "results")
    shutil.copy("results/key.csv", "key.csv")
    # Two groups by equipment, which all of the synthetic participants have alike.
    saved = Path("results/waet_complete.xml")
    saved.write_text(saved.read_text().replace('name="headphones">Headphones<', ">loudspeakers<"))
    commands = page_commands()
    assert [words[1] for words in commands].count("export") == 3
    for words in commands:
        # A smaller simulation shows as much.
        if words[1] == "power":
            words = [*words[:2], "--participants", "8", "--songs", "1", "--systems", "2"]
        assert main(words) == 0, words
    assert (tmp_path / "found" / "groups.csv").is_file()


def test_the_power_is_a_table(capsys) -> None:
    options = ["--participants", "6,8", "--differences", "0.5", "--systems", "2", "--songs", "1"]
    assert main(["listen", "power", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| participants | difference 0.5 |"
    assert [line.split(" |")[0] for line in lines[2:]] == ["| 6", "| 8"]
    assert main(["listen", "power", "--participants", "0"]) == 2
    assert main(["listen", "power", "--noise-sd", "-1"]) == 2
    with pytest.raises(SystemExit):
        main(["listen", "power", "--participants", "many"])


def analyze(folder: Path, *options: str) -> int:
    files = [str(RESULTS / name) for name in ("webmushra.csv", "waet_complete.xml")]
    key = ["--key", str(RESULTS / "key.csv"), "-o", str(folder / "found")]
    return main(["listen", "analyze", *files, *key, *options])


def test_an_analysis_prints_a_sentence_per_criterion(tmp_path, capsys) -> None:
    options = ["--contrasts", "human", "--margin", "0.1", "--label", "WUN-S-Lb=Wave-U-Net"]
    options += ["--exclude", "P2=asleep", "--group-by", "experience_years"]
    assert analyze(tmp_path, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == [
        *("Production Value", "Clarity", "Excitement")
    ]
    assert "4 participants" in lines[0]
    assert "Wave-U-Net" in lines[0]
    assert {path.name for path in (tmp_path / "found").iterdir()} >= {
        *("equivalence.csv", "groups.csv", "ratings.pdf", "summary.tex")
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exclude", "P2"], "--exclude 'P2': is not NAME=TEXT"),
        (["--exclude", "P9=x"], "no participant 'P9' to exclude"),
        (["--label", "x=y"], "no system 'x' to label"),
        (["--group-by", "shoes"], "nobody was asked 'shoes'"),
        (["--margin", "2"], "key 'margin'"),
        (["--human", "nobody"], "no rating of 'nobody'"),
    ],
)
def test_wrong_analyses_are_refused_in_one_line(tmp_path, capsys, options, message) -> None:
    assert analyze(tmp_path, *options) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fxnorm:")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "found").exists()
