"""The numbers that a person compares, of all systems of a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from fxnorm.documents import parse_json
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
        FxNormError: a file is missing, or holds something else, as after a merge that failed.
    """
    systems = (DRY_SUM, NORMALIZED_SUM, *params.systems)
    return headline_frame({system: _numbers(system, read) for system in systems})


def _numbers(system: str, read: Callable[[Path], str]) -> dict[str, Any]:
    path = EVALUATION / system / "headline.json"
    try:
        numbers = parse_json(read(path))[system]
        return {test_set: {**metrics} for test_set, metrics in numbers.items()}
    except FileNotFoundError as error:
        raise FxNormError(f"{path}: no such file; run `make repro` first") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FxNormError(f"{path}: holds no numbers of {system}; evaluate it again") from error
