"""The numbers that a person compares, of all systems of a run."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fxnorm.reporting.reference import headline_frame
from stages.mixes import BASELINE, DRY_SUM, REPORTS
from stages.params import Params


def read_headlines(params: Params, read: Callable[[Path], str] = Path.read_text) -> pd.DataFrame:
    """Headline numbers of the sums and of all systems in params, in long form.

    Args:
        params: names the systems.
        read: gives the text of a file, by its path below the checkout.
    """
    systems = (DRY_SUM, BASELINE, *params.systems)
    files = [json.loads(read(REPORTS / system / "headline.json")) for system in systems]
    return headline_frame({system: numbers for file in files for system, numbers in file.items()})
