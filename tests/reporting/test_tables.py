"""The paper's table in three formats from one source."""

import io
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from fxnorm.errors import FxNormError
from fxnorm.evaluation import EvaluationConfig, summarize_scores
from fxnorm.evaluation.columns import FURTHER_COLUMNS, TABLE_COLUMNS
from fxnorm.evaluation.scoring import COLUMNS
from fxnorm.reporting import (
    published_table,
    read_published,
    results_table,
    to_csv,
    to_latex,
    to_markdown,
)

CONFIG = EvaluationConfig(resamples=200)
NAMES = {"wun_S_Lb": "WUN-S-Lb", "ours_S_Lb": "Ours-S-Lb"}


@pytest.fixture(scope="module")
def summary():
    rng = np.random.default_rng(0)
    factor = {"normalized_sum": 1.0, "ours_S_Lb": 0.4, "wun_S_Lb": 2.0, "new_system & co": 1.01}
    rows = []
    for column in (*TABLE_COLUMNS, *FURTHER_COLUMNS):
        base = rng.uniform(0.1, 0.3, 8)
        for system, scale in factor.items():
            noise = rng.uniform(0.99, 1.01, 8)
            values = base * scale * noise
            if column.metric == "d_peak" and system == "ours_S_Lb":
                values[:] = np.nan
            rows += [
                (system, "wet", f"song {index}", column.group, column.metric, value, "")
                for index, value in enumerate(values)
            ]
    return summarize_scores(pd.DataFrame(rows, columns=list(COLUMNS)), CONFIG)


@pytest.fixture(scope="module")
def table(summary):
    return results_table(summary, "wet", CONFIG, names=NAMES)


def test_rows_and_columns_are_the_papers(table):
    names = [name for name, _ in table.rows]
    assert names == ["Normalised sum", "WUN-S-Lb", "Ours-S-Lb", "new_system & co", "Human"]
    assert [column.group for column in table.columns] == (
        ["spectral"] * 6 + ["panning"] * 5 + ["dynamics"] * 4 + ["loudness"] * 2
    )
    assert all(cell.mean == 0.0 for cell in dict(table.rows)["Human"])


def test_best_and_significance_are_marked(table):
    rows = dict(table.rows)
    *others, peak = range(len(table.columns))
    for index in others:
        assert [name for name, cells in table.rows if cells[index].best] == ["Ours-S-Lb"]
        # Eight of eight songs better: p = 2 / 2^8, below 0.05 after Holm over three systems.
        assert rows["Ours-S-Lb"][index].marker == "†"
        assert rows["WUN-S-Lb"][index].marker == "‡"
        assert rows["Normalised sum"][index].marker == ""
    assert rows["Ours-S-Lb"][peak].text() == "–"
    assert rows["Normalised sum"][peak].best or rows["new_system & co"][peak].best
    assert any("left out" in note for note in table.notes)


def test_csv_holds_what_the_cells_hold(table):
    frame = pd.read_csv(io.StringIO(to_csv(table)), keep_default_na=False, na_values={"mean": [""]})
    assert len(frame) == len(table.rows) * len(table.columns)
    cells = [cell for _, cells in table.rows for cell in cells]
    np.testing.assert_allclose(frame["mean"], [cell.mean for cell in cells], rtol=1e-5)
    assert list(frame["marker"]) == [cell.marker for cell in cells]


def test_markdown_is_a_table(table):
    text = to_markdown(table)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {len(table.columns) + 2}
    cell = dict(table.rows)["Ours-S-Lb"][0]
    assert f"**{cell.text()}**" in lines[4]
    assert re.fullmatch(r"0\.\d{3} ± 0\.\d{3}†", cell.text())


def test_latex_is_consistent(table):
    text = to_latex(table, "tab:wet")
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == len(table.rows)
    for line in rows:
        assert len(re.findall(r"(?<!\\)&", line)) == len(table.columns)
    assert re.search(r"\\begin\{tabular\}\{l(r+)\}", text).group(1) == "r" * len(table.columns)
    spans = [int(width) for width in re.findall(r"\\multicolumn\{(\d+)\}", text)]
    assert sum(spans) == len(table.columns)
    assert text.count("{") == text.count("}")
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert r"new\_system \& co" in text
    assert text.isascii()
    assert r"95 \%" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_compiles(table, tmp_path):
    (tmp_path / "table.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n"
        f"{to_latex(table, 'tab:wet')}\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_further_columns_and_unknown_test_sets(summary):
    further = results_table(summary, "wet", CONFIG, FURTHER_COLUMNS)
    assert to_markdown(further).splitlines()[2].startswith("| system | further: balance (dB) |")
    with pytest.raises(FxNormError, match="test set 'dry'; there are wet"):
        results_table(summary, "dry", CONFIG)


def test_published_rows_stand_beside_ours(summary):
    generated = published_table(summary, "wet", NAMES, our_data="generated songs")
    rows = dict(generated.rows)
    published = read_published().set_index(["system", "statistic"])
    index = [column.label for column in TABLE_COLUMNS].index("crest")
    wanted = published.loc[("Ours-S-Lb", "mean"), "dynamics/crest_mean"]
    assert rows["paper: Ours-S-Lb"][index].mean == wanted == 0.124246
    assert rows["paper: Ours-S-Lb"][-2].text() == "–"  # no loudness was published
    assert "Ours-S-Lb" in rows
    assert "Human" not in rows
    assert any(note.startswith("Not comparable") for note in generated.notes)
    same = published_table(summary, "wet", our_data="MUSDB18's test songs", same_songs=True)
    assert any(note.startswith("Comparable with care") for note in same.notes)


def test_published_figures_are_those_of_the_reference(shared):
    source = pd.read_csv(shared / "data" / "published_metrics.csv")
    copy = read_published()
    assert list(copy["system"]) == list(source["system"])
    np.testing.assert_array_equal(copy.iloc[:, 2:].to_numpy(), source.iloc[:, 2:].to_numpy())
