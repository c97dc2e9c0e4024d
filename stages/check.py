"""Stage `check`: params.yaml is right and the songs are there, before any output is touched.

DVC deletes a stage's outputs before it starts the stage. All stages depend on this one, so that a
wrong value stops them while everything is still there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.data.synthesis.engineer import studio_rooms
from fxnorm.effects.processors import build_chain
from fxnorm.errors import FxNormError
from fxnorm.outputs import write_text
from fxnorm.training.augmentation import check_chain
from stages.common import ends_in_one_line
from stages.params import Params, load_params
from stages.places import GENERATED
from stages.tracking import main_checkout

OUTPUT = Path("reports/checked.txt")


def main() -> None:
    """Validate params.yaml, build its chains, and look for the folders that it names."""
    with ends_in_one_line("check"):
        params = load_params("params.yaml")
        check_chains(params)
        check_folders(params)
        write_text(OUTPUT, "params.yaml is valid.\n")


def check_chains(params: Params) -> None:
    """See that the processors of the engineer and of the trainings can be built.

    Raises:
        FxNormError: an unknown processor, parameter or stem type, or a value out of range.
    """
    rooms = studio_rooms(params.seed)
    for stem, steps in params.synthesis.engineer.extra.items():
        with _said_of(f"synthesis.engineer.extra.{stem}"):
            build_chain(steps, SAMPLE_RATE, rooms)
    trainings = {"pretraining": params.pretraining, **params.systems}
    for name, system in trainings.items():
        with _said_of(f"{name}: training.augmentation.chain"):
            check_chain(system.training.augmentation.chain, tuple(params.stems))


@contextmanager
def _said_of(key: str) -> Iterator[None]:
    try:
        yield
    except FxNormError as error:
        raise FxNormError(f"params.yaml: {key}: {error}") from error


def check_folders(params: Params) -> None:
    """See that the data set's folders are there, or that DVC brings them.

    Raises:
        FxNormError: one is missing.
    """
    dataset = params.dataset
    keys = ("root", "dry_root", "impulse_responses", "pre_impulse_responses")
    folders = {f"dataset.{key}": Path(getattr(dataset, key)) for key in keys}
    folders |= {f"dataset.extra_roots ({root})": Path(root) for root in dataset.extra_roots}
    for key, folder in folders.items():
        if folder.is_relative_to(GENERATED) or folder.is_dir() or _is_tracked(folder):
            continue
        message = f"params.yaml: {key}: there is no folder '{folder}'"
        if not folder.is_absolute() and main_checkout(Path.cwd()) != Path.cwd():
            message += (
                " in the temporary copy that --temp and --queue work in;"
                f" give its absolute path, or run `dvc add {folder}` and commit"
            )
        raise FxNormError(message)


def _is_tracked(folder: Path) -> bool:
    """Whether `dvc add` was told to keep the folder or one above it."""
    return any(one.with_name(f"{one.name}.dvc").is_file() for one in (folder, *folder.parents[:-1]))


if __name__ == "__main__":
    main()
