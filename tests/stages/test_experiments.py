"""The commands of docs/experiments.md, one section after the other, at a tiny scale."""

import json
import re
import shutil
import time

import pandas as pd
import pytest
from tiny_checkout import ROOT, SYSTEMS, ran, run, set_params

from fxnorm.reporting.reference import headline_frame
from fxnorm.tabulation import to_csv

PAGE = (ROOT / "docs/experiments.md").read_text()
SECTIONS = {
    title: "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    for title, text in re.findall(r"^##+ (.*?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
#: Four per test set, of which the dry sum has one.
NUMBERS = 8 * (len(SYSTEMS) + 1) + 4
#: A laptop's terminal, in characters.
TERMINAL = 150


def _carry_out(checkout, title):
    """Run the commands of a section of the page; returns what they print."""
    return run(checkout, "bash", "-ec", SECTIONS[title], COLUMNS=str(TERMINAL)).stdout


def _headlines(checkout):
    numbers = {}
    for file in sorted((checkout / "reports/evaluation").glob("*/headline.json")):
        numbers |= json.loads(file.read_text())
    return headline_frame(numbers)


def _experiments(checkout):
    return set(run(checkout, "dvc", "exp", "list", "--name-only").stdout.split())


@pytest.fixture(scope="module")
def baseline(checkout):
    """The checkout with a reference, a place to push to, and an environment that is complete."""
    reference = _headlines(checkout).rename(columns={"value": "mean"}).assign(std=0.0, seeds=3)
    (checkout / "docs/reference.csv").write_text(to_csv(reference))
    (checkout / ".venv").mkdir()
    (checkout / ".venv/.installed").touch()
    run(checkout, "git", "init", "--quiet", "--bare", "../origin.git")
    run(checkout, "git", "remote", "add", "origin", "../origin.git")
    return checkout


def test_the_baseline_is_as_the_reference_says_and_all_that_git_sees(baseline):
    changed = run(baseline, "git", "status", "--short", "-uall").stdout.split()[1::2]
    results = [f"reports/evaluation/{name}/headline.json" for name in ("dry_sum", *SYSTEMS)]
    assert {"dvc.lock", *results} < set(changed)
    # And the normalised sum's, the reference, and the params of the tiny run.
    assert len(changed) == len(SYSTEMS) + 5
    printed = _carry_out(baseline, "A baseline of your own")
    assert printed.rstrip().endswith(f"All {NUMBERS} numbers lie within the tolerances.")
    run(baseline, "git", "commit", "--quiet", "-am", "Reference")


def test_a_run_that_is_not_as_the_reference_says_is_told(baseline):
    file = baseline / "reports/evaluation/normalized_sum/headline.json"
    before = file.read_text()
    numbers = json.loads(before)
    numbers["normalized_sum"]["wet"]["panning"] *= 1.5
    file.write_text(json.dumps(numbers))
    done = run(baseline, "make", "compare", check=False)
    assert done.returncode == 2  # what make makes of 1
    assert re.search(r"normalized_sum +wet +panning .* higher\n", done.stdout)
    assert f"1 of {NUMBERS} numbers lie outside" in done.stdout
    file.unlink()
    done = run(baseline, "python", "-m", "stages.compare", check=False)
    assert (done.returncode, "run `make repro` first" in done.stderr) == (2, True)
    file.write_text(before)


def test_a_wrong_value_is_found_while_all_outputs_are_there(baseline):
    kept = {path for path in (baseline / "models").rglob("*") if path.is_file()}
    done = run(baseline, "dvc", "exp", "run", "-S", "training.batch_size=0", check=False)
    assert done.returncode != 0
    assert "check: params.yaml: key 'training.batch_size'" in done.stdout + done.stderr
    assert {path for path in (baseline / "models").rglob("*") if path.is_file()} == kept
    _carry_out(baseline, "When one fails")
    assert run(baseline, "git", "status", "--short").stdout == ""
    assert "up to date" in run(baseline, "dvc", "status").stdout


def test_experiments_start_from_the_checkout_and_leave_it_alone(baseline):
    _carry_out(baseline, "One change")
    assert _experiments(baseline) == {"fast", "wide"}
    assert run(baseline, "git", "status", "--short").stdout == ""
    shown = json.loads(run(baseline, "dvc", "params", "diff", "--json", "HEAD", "wide").stdout)
    assert set(shown["params.yaml"]) == {"systems.wun_S_Lb.network.filters"}


def test_a_grid_is_queued_and_carried_out(baseline):
    _carry_out(baseline, "A grid")
    until = time.monotonic() + 1200
    while "Success" not in (status := run(baseline, "dvc", "queue", "status").stdout) or re.search(
        "Queued|Running", status
    ):
        assert time.monotonic() < until, status
        time.sleep(2)
    assert status.count("Success") == 2
    assert len(_experiments(baseline)) == 4


def test_the_tables_fit_a_terminal(baseline):
    printed = _carry_out(baseline, "Look at them")
    for shown in ("fast", "wide", "wun_S_Lb.dry.mean", "wun_S_Lb.wet.mean"):
        assert shown in printed
    assert max(map(len, printed.splitlines())) <= TERMINAL
    assert len(printed.splitlines()) < 60


def test_experiments_are_kept_and_dropped(baseline):
    _carry_out(baseline, "Keep or drop one")
    assert "wide-filters" in run(baseline, "git", "branch", "--list").stdout
    assert "fast" not in _experiments(baseline)
    assert run(baseline, "git", "status", "--short").stdout == ""
    assert "up to date" in run(baseline, "dvc", "status").stdout


def test_seeds_train_anew_and_take_the_data_from_the_cache(baseline):
    printed = _carry_out(baseline, "Training seeds")
    assert "Running stage 'train@wun_S_Lb'" in printed
    assert not re.search("Running stage '(synthesize|features|normalize)", printed)
    values = pd.read_csv(baseline / "reports/seeds/values.csv")
    assert set(values["seed"]) == {1, 2}
    summary = pd.read_csv(baseline / "reports/seeds/summary.csv").set_index("system")
    grouped = values.groupby(["system", "test_set", "metric"])["value"]
    for column in ("mean", "std"):
        keys = summary.reset_index().set_index(["system", "test_set", "metric"])[column]
        pd.testing.assert_series_equal(
            keys.sort_index(), grouped.agg(column), check_names=False, rtol=1e-4
        )
    # A number of so small a run may be the same for both seeds, as far as it is written.
    assert (summary.loc[list(SYSTEMS), "std"].groupby("system").max() > 0).all()
    assert (summary.loc[["dry_sum", "normalized_sum"], "std"] == 0).all()
    assert "±" in (baseline / "reports/seeds/summary.md").read_text()
    assert r"\toprule" in (baseline / "reports/seeds/summary.tex").read_text()
    assert run(baseline, "git", "status", "--short").stdout == ""


def test_seeds_that_ran_before_become_the_reference_without_training(baseline):
    done = run(baseline, "python", "-m", "stages.seeds", "1", "2", "--reference")
    assert "Running stage" not in done.stdout
    assert "over 2 training seeds" in (baseline / "docs/reference.md").read_text()
    summary = (baseline / "reports/seeds/summary.csv").read_text()
    assert (baseline / "docs/reference.csv").read_text() == summary
    run(baseline, "git", "checkout", "docs")


def test_songs_of_ones_own_stay_out_of_git_and_come_by_dvc(baseline):
    shutil.copytree(baseline / "data/raw/wet", baseline / "data/mine")
    for song in list((baseline / "data/mine/train").iterdir()):
        song.rename(song.with_name(f"mine {song.name}"))
    run(baseline, "git", "add", "--all")
    assert run(baseline, "git", "diff", "--cached", "--name-only").stdout == ""
    set_params(baseline, dataset__extra_roots=["data/mine"])
    queued = ("dvc", "exp", "run", "--temp", "features")
    done = run(baseline, *queued, check=False)
    assert done.returncode != 0
    assert "give its absolute path, or run `dvc add data/mine`" in done.stdout + done.stderr
    _carry_out(baseline, "Your own songs")
    assert "data/mine.dvc" in run(baseline, "git", "ls-files").stdout
    assert "Running stage 'features'" in run(baseline, *queued, "--name", "mine").stdout
    run(baseline, "git", "checkout", "params.yaml")


def test_links_hold_the_same_and_stages_run_on_them(baseline):
    _carry_out(baseline, "Disk space")
    model = baseline / "models/ours_S_Lb/model.safetensors"
    assert model.stat().st_nlink > 1 or model.is_symlink() or _shares_blocks(baseline)
    set_params(baseline, listening__fade_ms=6.0)
    assert ran(baseline) == {"stimuli"}
    run(baseline, "git", "checkout", "params.yaml", "dvc.lock")
    run(baseline, "dvc", "checkout")


def _shares_blocks(folder):
    """Whether the file system has reflinks, which look like copies."""
    done = run(folder, "cp", "--reflink=always", "dvc.lock", "../reflink", check=False)
    return done.returncode == 0


def test_a_clone_has_the_results_and_runs_nothing(baseline, tmp_path):
    _carry_out(baseline, "Share results")
    run(baseline, "git", "add", ".dvc/config")
    run(baseline, "git", "commit", "--quiet", "-m", "Remote")
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", str(baseline), str(clone))
    run(clone, "dvc", "remote", "modify", "storage", "url", str(baseline.parent / "storage"))
    run(clone, "dvc", "pull", "--run-cache")
    assert all((clone / "models" / name / "config.json").is_file() for name in SYSTEMS)
    assert ran(clone) == set()
