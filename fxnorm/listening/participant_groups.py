"""Participants divided by what they answered: by experience, by equipment."""

import numpy as np
import pandas as pd
import scipy

from fxnorm.errors import FxNormError
from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import make_units
from fxnorm.significance import TIE_DECIMALS, holm

_LEAST_GROUPS = 2
_NO_QUESTIONS = ("participant", "name", "session", "file")
_COLUMNS = ["system", "group", "n", "mean", "difference", "p", "p_holm"]


def divide(participants: pd.DataFrame, question: str) -> dict[str, str]:
    """The group of each participant who answered.

    Numbers are divided at their median, words as they are.

    Args:
        participants: see `Results`.
        question: one of its columns.

    Raises:
        FxNormError: nobody was asked that, or all answered alike.
    """
    questions = [name for name in participants.columns if name not in _NO_QUESTIONS]
    if question not in questions:
        known = ", ".join(questions) or "nothing"
        raise FxNormError(f"nobody was asked '{question}'; the questionnaire asked {known}")
    answers = participants.set_index("participant")[question]
    answers = answers[answers != ""]
    numbers = pd.to_numeric(answers, errors="coerce")
    if len(numbers) and numbers.notna().all():
        groups = _halves(numbers)
    else:
        groups = {str(name): str(answer) for name, answer in answers.items()}
    if len(set(groups.values())) < _LEAST_GROUPS:
        raise FxNormError(f"'{question}' was answered alike by all; there are no groups to compare")
    return groups


def _halves(numbers: "pd.Series[float]") -> dict[str, str]:
    """Below the median and from it on; where none is below, up to it and above."""
    median = float(numbers.median())
    if (numbers < median).any():
        lower, names = numbers < median, (f"below {median:g}", f"{median:g} and more")
    else:
        lower, names = numbers <= median, (f"up to {median:g}", f"above {median:g}")
    return {str(name): names[0] if below else names[1] for name, below in lower.items()}


def compare_groups(
    items: pd.DataFrame, groups: dict[str, str], config: AnalysisConfig
) -> pd.DataFrame:
    """Whether groups of participants see the distance to the human mix differently.

    Args:
        items: see `make_items`.
        groups: see `divide`.
        config: what is compared. The unit is the participant.

    Returns:
        One row per system and group: system, group, n (participants), mean rating, difference (mean
        of system - human), p of a Kruskal-Wallis test between the groups' differences, the same in
        all rows of a system, and p_holm over systems. The human mix has no difference and no test.
    """
    config = config.model_copy(update={"unit": "participant"})
    rows, tests = [], {}
    for system in items.columns:
        units = make_units(items[list(dict.fromkeys([config.human, system]))], config)
        units = units[units.index.isin(groups)]
        # Equal differences that are computed from other ratings differ by rounding, and are ties.
        difference = (units[system] - units[config.human]).round(TIE_DECIMALS)
        label = units.index.map(groups)
        if system != config.human:
            tests[system] = _kruskal_p([part.to_numpy() for _, part in difference.groupby(label)])
        for group in sorted(set(groups.values())):
            inside = label == group
            apart = np.nan if system == config.human else difference[inside].mean()
            rows.append((system, group, int(inside.sum()), units[system][inside].mean(), apart))
    corrected = dict(zip(tests, holm(np.array(list(tests.values()))), strict=True))
    table = pd.DataFrame(rows, columns=["system", "group", "n", "mean", "difference"])
    table["p"] = table["system"].map(tests)
    table["p_holm"] = table["system"].map(corrected)
    return table[_COLUMNS]


def _kruskal_p(samples: list[np.ndarray]) -> float:
    if len(samples) < _LEAST_GROUPS:
        return np.nan
    if np.ptp(np.concatenate(samples)) == 0.0:
        return 1.0
    return float(scipy.stats.kruskal(*samples).pvalue)
