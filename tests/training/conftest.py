import pytest
from training_fixtures import make_songs


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    return make_songs(tmp_path_factory.mktemp("songs"))
