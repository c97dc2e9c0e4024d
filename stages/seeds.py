"""`python -m stages.seeds 1 2 3`: the systems trained with several seeds, and the spread.

Every seed is an experiment of DVC, `training-seed-1`, in a temporary copy of the checkout: it
trains and evaluates anew and takes the data from DVC's cache. A seed that was trained before with
the same params comes from there, too.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd

from fxnorm.errors import FxNormError
from fxnorm.outputs import atomic_folder, write_text
from fxnorm.reporting.reference import reference_page, seeds_table, summarize_seeds
from fxnorm.tabulation import to_csv, to_latex, to_markdown
from stages.common import ends_in_one_line
from stages.headlines import read_headlines
from stages.params import Params, load_params
from stages.places import REFERENCE

OUTPUT = Path("reports/seeds")
TARGETS = ("evaluate", "evaluate_baseline")


def main() -> None:
    """Run the seeds and write mean ± standard deviation of every headline number."""
    arguments = _arguments()
    with ends_in_one_line("seeds"):
        params = load_params("params.yaml")
        runs = {seed: _run(seed, params) for seed in arguments.seeds}
        _write(runs, params, reference=arguments.reference)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stages.seeds",
        description="Train and evaluate all systems with several seeds; write mean and spread.",
    )
    parser.add_argument(
        "seeds", type=int, nargs="+", metavar="SEED", help="values of training.seed"
    )
    parser.add_argument(
        "--reference",
        action="store_true",
        help=f"also make the result the reference of `make compare`, {REFERENCE}",
    )
    return parser.parse_args()


def _run(seed: int, params: Params) -> pd.DataFrame:
    """Headline numbers of an experiment with this training seed."""
    name = f"training-seed-{seed}"
    # DVC does not replace an experiment by one of the same name.
    _dvc("exp", "remove", name, quiet=True)
    print(f"\nTraining seed {seed}: experiment {name}", flush=True)
    if _dvc("exp", "run", "--temp", "-n", name, "-S", f"training.seed={seed}", *TARGETS):
        raise FxNormError(f"training seed {seed} failed (see above); the seeds before it are kept")
    return read_headlines(params, lambda path: _content(name, path))


def _dvc(*words: str, quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, stdout=output, stderr=output, check=False).returncode


def _content(experiment: str, path: Path) -> str:
    """A file of an experiment; DVC keeps them as commits in git."""
    import dvc.api

    return str(dvc.api.read(path.as_posix(), rev=experiment))


def _write(runs: dict[int, pd.DataFrame], params: Params, *, reference: bool) -> None:
    values = pd.concat(run.assign(seed=seed) for seed, run in runs.items())
    summary = summarize_seeds(runs)
    table = seeds_table(summary, params.names)
    with atomic_folder(OUTPUT) as folder:
        write_text(folder / "values.csv", to_csv(values))
        write_text(folder / "summary.csv", to_csv(summary))
        write_text(folder / "summary.md", to_markdown(table))
        write_text(folder / "summary.tex", to_latex(table))
    print(f"\n{to_markdown(table)}\nMean ± standard deviation over {len(runs)} seeds: {OUTPUT}/")
    if reference:
        write_text(REFERENCE, to_csv(summary))
        write_text(REFERENCE.with_suffix(".md"), reference_page(summary, params.names))


if __name__ == "__main__":
    main()
