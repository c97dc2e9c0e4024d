import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fxnorm.errors import FxNormError
from fxnorm.reporting.reference import (
    FALSE_ALARM,
    compare_with_reference,
    headline_frame,
    read_reference,
    reference_page,
    seeds_table,
    summarize_seeds,
)
from fxnorm.tabulation import to_csv, to_markdown


def _run(panning, mean=2.0):
    return headline_frame(
        {
            "normalized_sum": {"wet": {"panning": 0.4}},
            "a": {"wet": {"panning": panning, "mean": mean}},
        }
    )


@pytest.fixture
def summary():
    return summarize_seeds({1: _run(1.0), 2: _run(1.2), 3: _run(1.4)})


def test_mean_and_deviation_of_the_seeds(summary):
    row = summary.set_index(["system", "metric"]).loc[("a", "panning")]
    assert row["mean"] == pytest.approx(1.2)
    assert row["std"] == pytest.approx(0.2)
    assert row["seeds"] == 3
    assert list(summary["system"]) == ["normalized_sum", "a", "a"]


def test_one_seed_has_no_deviation():
    one = summarize_seeds({7: _run(1.0)})
    assert one["std"].isna().all()
    assert "| a | 1.000 | 2.000 |" in to_markdown(seeds_table(one))
    assert set(compare_with_reference(_run(1.0), one)["verdict"]) == {"as expected"}


def test_the_tolerance_is_students_prediction_interval(summary):
    other = summary[summary["system"] == "a"].assign(system="b", mean=[0.5, 1.0], std=[0.05, 0.1])
    reference = pd.concat([summary, other], ignore_index=True)
    run = reference.rename(columns={"mean": "value"})[["system", "test_set", "metric", "value"]]
    tolerance = compare_with_reference(run, reference)["tolerance"]
    # Two trained systems have two degrees of freedom each; five numbers are compared.
    factor = stats.t(4).isf(FALSE_ALARM / 5 / 2) * math.sqrt(4 / 3)
    panning, mean = (np.sqrt((own**2 + 0.1**2) / 2) for own in (0.2 / 1.2, 0.0))
    expected = factor * np.array([panning * 1.2, mean * 2.0, panning * 0.5, mean * 1.0])
    assert tolerance[1:].tolist() == pytest.approx(expected.tolist())
    # Nothing is trained in a sum: only the machine varies.
    assert tolerance[0] == pytest.approx(0.004)


def test_what_lies_outside_is_higher_or_lower(summary):
    tolerance = compare_with_reference(_run(1.2), summary)["tolerance"][1]
    for distance, verdict in ((0.99, "as expected"), (1.01, "higher"), (-1.01, "lower")):
        compared = compare_with_reference(_run(1.2 + distance * tolerance), summary)
        assert list(compared["verdict"]) == ["as expected", verdict, "as expected"]


def _trained(rng):
    """A run with the spread of real ones, whose numbers move together as a network's do."""
    means, spread = {"spectral": 0.13, "panning": 0.2, "dynamics": 0.06}, (0.02, 0.05, 0.02)
    numbers = {}
    for system in "abc":
        shared = rng.standard_normal()
        numbers[system] = {}
        for test_set in ("wet", "dry"):
            moved = np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.standard_normal(3)
            errors = dict(
                zip(means, np.array([*means.values()]) * (1 + spread * moved), strict=True)
            )
            numbers[system][test_set] = errors | {"mean": sum(errors.values()) / 3}
    return headline_frame(numbers)


def test_faithful_runs_are_rarely_called_wrong():
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        runs = [_trained(rng) for _ in range(4)]
        compared = compare_with_reference(runs[0], summarize_seeds(dict(enumerate(runs[1:]))))
        wrong += (compared["verdict"] != "as expected").any()
    assert wrong <= 8  # 2 are expected; more than 8 come once in several thousand times


def test_systems_that_only_one_of_both_has_are_left_out(summary):
    mine = headline_frame({"mine": {"wet": {"panning": 1.0}}, "a": {"wet": {"panning": 1.2}}})
    assert list(compare_with_reference(mine, summary)["system"]) == ["a"]
    with pytest.raises(FxNormError, match="none of the run's systems"):
        compare_with_reference(mine[:1], summary)


def test_a_reference_is_read_as_it_was_written(summary, tmp_path):
    path = tmp_path / "reference.csv"
    path.write_text(to_csv(summary))
    pd.testing.assert_frame_equal(read_reference(path), summary, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("", "not a CSV table"),
        ("a,b\n1,2\n", "the columns must be system, test_set"),
        ("system,test_set,metric,mean,std,seeds\n", "holds no numbers"),
        ("system,test_set,metric,mean,std,seeds\na,wet,mean,1,0.1,0\n", "no seeds"),
        ("system,test_set,metric,mean,std,seeds\na,wet,mean,1,-0.1,3\n", "deviation below 0"),
    ],
)
def test_a_file_that_is_no_reference_is_named(text, message, tmp_path):
    path = tmp_path / "reference.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FxNormError, match=message) as raised:
        read_reference(path)
    assert str(path) in str(raised.value)


def test_the_page_has_a_table_for_each_test_set(summary):
    page = reference_page(summary, {"a": "System A"})
    assert "3 training seeds" in page
    assert "## Wet test set" in page
    assert "| System A | 1.200 ± 0.200 | 2.000 ± 0.000 |" in page
    assert page.index("| Normalised sum | 0.400 ± 0.000 | – |") < page.index("| System A")
