import pytest
from page_browser import ARGUMENTS, find_chromium


@pytest.fixture(scope="session")
def browser():
    """Chromium; needs the Python package playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = find_chromium()
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()
