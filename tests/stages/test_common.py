"""What surrounds every stage's work."""

import pytest

from fxnorm.errors import FxNormError
from stages.common import _alone


def test_a_second_process_of_a_stage_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with _alone("train@a"):
        with _alone("train@b"):
            pass
        with pytest.raises(FxNormError, match="runs already"), _alone("train@a"):
            pass
    with _alone("train@a"):
        pass
