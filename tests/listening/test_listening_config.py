"""Settings that would break what is written with them."""

import pytest

from fxnorm.errors import FxNormError
from fxnorm.listening import Criterion, ListeningConfig


def test_criteria_need_names_that_results_files_can_hold() -> None:
    with pytest.raises(FxNormError, match=r"criteria\.0\.id"):
        ListeningConfig.parse({"criteria": [{"id": "A b", "title": "t", "question": "q"}]}, "p")
    assert Criterion(id="width", title="Width", question="How wide?").high == "High"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hosted_at", "fxnorm\npages: []"),
        ("hosted_at", "../elsewhere?"),
        ("hosted_at", "/fxnorm"),
        ("name", "two\nlines"),
        ("name", "two\u2028lines"),
        ("name", ""),
        ("test_id", "a b"),
    ],
)
def test_text_that_would_add_lines_or_leave_its_folder_is_refused(key: str, value: str) -> None:
    with pytest.raises(FxNormError, match=f"key '{key}'"):
        ListeningConfig.parse({key: value}, "params")


def criterion(name: str) -> dict[str, str]:
    return {"id": name, "title": name.upper(), "question": "?"}


def test_a_criterion_comes_once() -> None:
    with pytest.raises(FxNormError, match=r"criteria.*'a' is there twice"):
        ListeningConfig.parse({"criteria": [criterion("a"), criterion("a")]}, "params")
    different = {"criteria": [criterion("a"), criterion("b")]}
    assert len(ListeningConfig.parse(different, "params").criteria) == 2


@pytest.mark.parametrize(
    "address", ["ftp://x", "javascript:alert(1)", "https://x/ y", "https://x/;"]
)
def test_results_are_sent_to_web_addresses_only(address: str) -> None:
    with pytest.raises(FxNormError, match=r"page\.post_to"):
        ListeningConfig.parse({"page": {"post_to": address}}, "params")
