"""Tables as text: what each format takes for markup is escaped, and emphasis is set."""

import csv
import io
import re

import numpy as np
import pandas as pd

from fxnorm.tabulation import (
    TextTable,
    latex,
    read_csv,
    to_csv,
    to_latex,
    to_markdown,
    without_tags,
)

TABLE = TextTable(
    header=["system", "a|b", "100 %"],
    rows=[["x_1", "0.1 ± 0.0†", "2"], ["y|z", "–", "3"]],
    alignment="lrr",
    groups=["", "both", "both"],
    bold={(0, 1)},
    rules={1},
)


def test_latex_escapes_every_special_character() -> None:
    assert latex(r"&%$#_{}") == r"\&\%\$\#\_\{\}"
    assert latex("\\^~") == r"\textbackslash{}\textasciicircum{}\textasciitilde{}"
    assert latex("±–†‡…") == r"$\pm$--\textsuperscript{\dag}\textsuperscript{\ddag}\ldots{}"


def test_markdown() -> None:
    assert to_markdown(TABLE).splitlines() == [
        r"| system | both: a\|b | both: 100 % |",
        "| --- | ---: | ---: |",
        "| x_1 | **0.1 ± 0.0†** | 2 |",
        r"| y\|z | – | 3 |",
    ]


def test_a_backslash_in_a_name_takes_no_escape_away() -> None:
    names = [["a\\|b", "c\\<b>", "d\\"]]
    row = to_markdown(TextTable(["x"] * 3, names, "lll")).splitlines()[2]
    assert row == r"| a\\\|b | c\\\<b> | d\\ |"


def test_links_are_taken_apart_and_brackets_left_alone() -> None:
    assert without_tags("Take [live], 2") == "Take [live], 2"
    for link in ("[here](http://x)", "![here] [x]", "[here]: http://x", "[a[b]](http://x)"):
        assert not re.search(r"(?<!\\)\[", without_tags(link))
    assert without_tags("[" * 100_000) == "[" * 100_000


def test_latex() -> None:
    assert to_latex(TABLE).splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{both} \\",
        r"\cmidrule(lr){2-3}",
        r"system & a|b & 100 \% \\",
        r"\midrule",
        r"x\_1 & \textbf{0.1 $\pm$ 0.0\textsuperscript{\dag}} & 2 \\",
        r"\midrule",
        r"y|z & -- & 3 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_csv_reads_back_to_its_digits() -> None:
    frame = pd.DataFrame({"name": ["a, b", 'c"d'], "value": [np.pi * 1e-5, 2e7 / 3]})
    text = to_csv(frame, digits=7)
    assert "\r" not in text
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), frame, rtol=1e-6)
    assert to_csv(frame).splitlines()[1] == '"a, b",3.14159e-05'


def test_csv_is_written_as_pandas_writes_it():
    frame = pd.DataFrame(
        {"a": ["x", None, 'y;"z"'], "b": [1, 2, 3], "c": [0.1, np.nan, -1e-17], "d": [True] * 3}
    )
    assert to_csv(frame, digits=None) == frame.to_csv(index=False, lineterminator="\n")
    assert to_csv(frame) == frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def test_names_are_no_formulas_to_a_spreadsheet_and_are_read_back(tmp_path):
    names = ["=1+1", "@a", "+x", "-x", "-1+cmd|' /C calc'!A0", "'=1", "\t=1"]
    names += ["-1\n+cmd|' /C calc'!A0", "\n=1", "\uff1d1+1", "\uff0b1"]
    numbers = ["-0.3 dB", "+0.3", "it's", ""]
    path = tmp_path / "t.csv"
    path.write_text(to_csv(pd.DataFrame({"name": names + numbers})))
    with path.open(newline="") as file:
        (_, *rows) = csv.reader(file)
    cells = [row[0] if row else "" for row in rows]
    assert cells[: len(names)] == [f"'{name}" for name in names]
    assert cells[len(names) :] == numbers
    assert list(read_csv(path, ["name"], {}, "again")["name"]) == names + numbers
