"""The numbers that a person compares, of all systems of a run."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fxnorm.errors import FxNormError
from fxnorm.evaluation.evaluation_config import DRY_SUM, NORMALIZED_SUM
from fxnorm.reporting.reference import headline_frame
from stages.params import Params
from stages.places import EVALUATION


def read_headlines(params: Params, read: Callable[[Path], str] = Path.read_text) -> pd.DataFrame:
    """Headline numbers of the sums and of all systems in params, in long form.

    Args:
        params: names the systems.
        read: gives the text of a file, by its path below the checkout.

    Raises:
        FxNormError: a file is missing.
    """
    systems = (DRY_SUM, NORMALIZED_SUM, *params.systems)
    try:
        files = [json.loads(read(EVALUATION / system / "headline.json")) for system in systems]
    except FileNotFoundError as error:
        raise FxNormError(f"{error.filename}: no such file; run `make repro` first") from error
    return headline_frame({system: numbers for file in files for system, numbers in file.items()})
