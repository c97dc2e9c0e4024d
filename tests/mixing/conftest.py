import pytest
from tiny_model import plain_features


@pytest.fixture(scope="session")
def features():
    """Plain averages."""
    return plain_features()
