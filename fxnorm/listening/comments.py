"""Comments of participants, collated by system."""

import pandas as pd

from fxnorm.listening.analysis_config import AnalysisConfig
from fxnorm.listening.rating_statistics import system_order

_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in r"\`*_{}[]<>#|"})


def collate(ratings: pd.DataFrame, config: AnalysisConfig) -> str:
    """All comments as Markdown: a heading per system, below it who said what of which song.

    A comment that a tool repeats on each criterion stands once, with all of them.

    Args:
        ratings: the tidy table.
        config: which system comes first, and what systems are called.
    """
    said = ratings[ratings["comment"].str.strip() != ""]
    if said.empty:
        return "No comments.\n"
    parts = []
    for system in system_order(list(said["system"]), config.human):
        own = said[said["system"] == system]
        parts.append(f"## {_plain(config.labels.get(system, system))}\n")
        lines = [
            f"- {_plain(str(comment))} ({_plain(str(song))}, {_plain(str(participant))},"
            f" {', '.join(rows['criterion'])})"
            for (song, participant, comment), rows in own.groupby(
                ["song", "participant", "comment"], sort=True
            )
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_MARKUP)
