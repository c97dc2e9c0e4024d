"""Headline numbers, which git keeps and people merge."""

import pytest
from tiny_checkout import ROOT

from fxnorm.errors import FxNormError
from stages.headlines import read_headlines
from stages.params import load_params


@pytest.mark.parametrize(
    "text",
    ["<<<<<<< HEAD\n{}", "", "{}", "[]", '{"dry_sum": 1}', '{"dry_sum": {"dry": 1}}', "[" * 10**5],
)
def test_a_file_that_holds_something_else_is_named(text):
    params = load_params(str(ROOT / "params.yaml"))
    message = r"evaluation/dry_sum/headline\.json: holds no numbers of dry_sum; evaluate it again"
    with pytest.raises(FxNormError, match=message):
        read_headlines(params, lambda path: text)


def test_a_missing_file_is_named_also_where_it_is_no_file_of_the_disk():
    def read(path):
        raise FileNotFoundError("no such file in the experiment")

    with pytest.raises(FxNormError, match=r"evaluation/dry_sum/headline\.json: no such file; run"):
        read_headlines(load_params(str(ROOT / "params.yaml")), read)
