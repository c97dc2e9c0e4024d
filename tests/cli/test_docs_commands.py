"""Commands in README and docs: words that the command, make, DVC and Python know.

Those that are quick are run by `test_docs_mixing`, `test_listen`, `test_experiments` and others.
"""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from fxnorm.cli.command import make_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())


def _commands():
    """Page and words of every command in a block of shell."""
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if "<" not in line:
                    for part in line.split(" && "):
                        words = shlex.split(part, comments=True)
                        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                            words = words[1:]
                        if words:
                            yield page.relative_to(ROOT).as_posix(), words


COMMANDS = list(_commands())
#: Programs that a test here or elsewhere holds against their words, and the shell's own.
HELD = {"fxnorm", "make", "dvc", "python"}
OTHERS = {"cp", "curl", "dask", "export", "git", "mlflow", "pip", "pre-commit", "sbatch", "source"}
OTHERS |= {"torchrun"}


def _of(program):
    chosen = [(page, words) for page, words in COMMANDS if words[0] == program]
    assert chosen, program
    return [pytest.param(words, id=f"{page}: {' '.join(words)[:60]}") for page, words in chosen]


def test_pages_name_no_other_program():
    assert {words[0] for _, words in COMMANDS} <= HELD | OTHERS


@pytest.mark.parametrize("words", _of("fxnorm"))
def test_the_command_knows_its_words(words):
    options = make_parser().parse_args([word for word in words[1:] if word != "…"])
    assert callable(options.run)


@pytest.mark.parametrize("words", _of("make"))
def test_make_has_the_target(words):
    targets = re.findall(r"^([\w.$()/]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {word for word in words[1:] if "=" not in word}
    assert named <= {target.replace("$(VENV)", ".venv") for target in targets}


@pytest.mark.parametrize("words", _of("dvc"))
def test_stages_and_keys_are_there(words):
    if words[1] == "repro":
        assert {word.partition("@")[0] for word in words[2:] if word[0] != "-"} <= set(STAGES)
    for option, setting in pairwise(words):
        if option == "-S" and not setting.startswith("+"):
            value = PARAMS
            for key in setting.partition("=")[0].split("."):
                value = value[key]


@pytest.mark.parametrize("words", _of("python"))
def test_python_finds_the_module(words):
    assert words[1] == "-m"
    assert importlib.util.find_spec(words[2]) is not None


def test_the_reference_has_every_command_and_option_as_it_is_now():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from commands import on_page_markdown
    finally:
        sys.path.pop(0)
    page = on_page_markdown((ROOT / "docs/command-line.md").read_text())
    for name in ("mix", "normalize", "features measure", "weights import", "listen analyze"):
        assert f"\n## fxnorm {name}\n" in page
    section = page.partition("## fxnorm score\n")[2].partition("\n## ")[0]
    shown = subprocess.run(
        [sys.executable, "-m", "fxnorm", "score", "--help"],
        env={**os.environ, "COLUMNS": "102"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert section.strip() == f"```text\n{shown}```"
    assert on_page_markdown("another page") == "another page"
