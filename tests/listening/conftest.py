"""The test page in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import open_browser
from visiting import CRITERIA, LISTEN, export


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """One song, three mixes, one criterion, no training."""
    return export(tmp_path_factory.mktemp("small"), songs=1, training=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Two songs, two criteria, training, and a page that is met twice."""
    return export(tmp_path_factory.mktemp("whole"), criteria=CRITERIA, repeated_pages=1)


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """Open an export's page; whatever it complains of or asks the network for fails the test."""
    problems: list[str] = []
    contexts = []

    def open_page(folder: Path | str, *, script: str = LISTEN, quiet: bool = True, **options):
        address = folder if isinstance(folder, str) else (folder / "hosted/index.html").as_uri()
        contexts.append(browser.new_context(accept_downloads=True, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        if quiet:
            page.on("console", lambda message: problems.append(message.text))
        own = "file:" if isinstance(folder, Path) and quiet else "http://127.0.0.1"
        allowed = ("file:", "data:", "blob:", own)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(allowed) else problems.append(request.url)
            ),
        )
        if script:
            page.add_init_script(script)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
