import pytest
from browser import open_browser


@pytest.fixture(scope="session")
def browser():
    with open_browser() as browser:
        yield browser
