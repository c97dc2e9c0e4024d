"""`fxnorm score`."""

import json

from fxnorm.audio import read, write
from fxnorm.cli import main


def test_score_of_the_target_itself_is_zero(tmp_path, capsys, stems):
    for folder in ("target", "mixes/copy"):
        write(tmp_path / folder / "song.wav", read(stems / "drums.wav")[0], 48_000)
    options = ["--target", str(tmp_path / "target"), "--mixes", str(tmp_path / "mixes")]
    table = tmp_path / "scores.csv"
    assert main(["score", *options, "-o", str(table), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["copy"]
    assert scores["spectral"]["mape_mean"] == 0.0
    assert scores["loudness"]["d_lufs"] == 0.0
    assert table.read_text().startswith("system,test_set,song,group,metric,value,note")
