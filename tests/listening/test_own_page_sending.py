"""Handing results in to a real server, and files that do not arrive."""

import json

from visiting import (
    answer,
    begin,
    click,
    download,
    export,
    hear,
    rate_page,
    serve,
    wait_until_loaded,
)

from fxnorm.listening import (
    read_key,
    read_results,
)


def test_results_are_sent_again_until_they_arrive(visit, tmp_path) -> None:
    with serve(tmp_path / "test" / "hosted", failures=2) as server:
        host = f"http://127.0.0.1:{server.server_port}"
        export(tmp_path, songs=1, training=False, post_to=f"{host}/save")
        # Browsers log what failed, which is what this is about.
        page = visit(f"{host}/index.html", quiet=False)
        begin(page)
        rate_page(page, [0.1, 0.5, 0.9])
        click(page, "Next")
        answer(page)
        page.wait_for_selector("text=Sending failed; trying again in 1 s.")
        page.wait_for_selector("text=Your ratings have been sent.")
        assert len(server.bodies) == 3
        assert len(set(server.bodies)) == 1
        kept = download(page, "JSON", tmp_path)
        page.reload()
        page.wait_for_selector("text=Your ratings have been sent.")
        assert len(server.bodies) == 3
    (tmp_path / "posted.json").write_bytes(server.bodies[-1])
    assert json.loads(server.bodies[-1]) == json.loads(kept.read_text())
    results = read_results([tmp_path / "posted.json", kept], read_key(tmp_path / "test/key.csv"))
    assert len(results.ratings) == 3


def test_nothing_is_lost_when_there_is_no_server(visit, tmp_path) -> None:
    with serve(tmp_path) as server:
        port = server.server_port
    export(tmp_path, songs=1, training=False, post_to=f"http://127.0.0.1:{port}/save")
    hurry = "const later = setTimeout; setTimeout = (f, ms) => later(f, ms / 20);"
    page = visit(tmp_path / "test", script=hurry, quiet=False)
    begin(page)
    rate_page(page, [0.1, 0.5, 0.9])
    click(page, "Next")
    answer(page)
    page.wait_for_selector("text=Your ratings could not be sent.")
    kept = download(page, "JSON", tmp_path)
    click(page, "Start over")
    click(page, "Keep it")
    with serve(tmp_path, port=port) as server:
        click(page, "Send again")
        page.wait_for_selector("text=Your ratings have been sent.")
        assert json.loads(server.bodies[0]) == json.loads(kept.read_text())


def test_a_file_that_is_missing_can_be_asked_for_again(visit, tmp_path) -> None:
    folder = export(tmp_path, songs=1, training=False)
    page = visit(folder, quiet=False)
    begin(page)
    wait_until_loaded(page)
    script = next((folder / "hosted" / "audio").glob("*.js"))
    held = script.read_bytes()
    script.unlink()
    page.reload()
    click(page, "Go on")
    page.wait_for_selector(f"text=audio/{script.name} is not there")
    script.write_bytes(held)
    click(page, "Try again")
    wait_until_loaded(page)
    hear(page, 0)
