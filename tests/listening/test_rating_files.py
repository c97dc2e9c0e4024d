"""Reading ratings in every format, and refusing what cannot be attributed."""

import json
import logging
import math
from pathlib import Path

import pandas as pd
import pytest

from fxnorm.errors import FxNormError
from fxnorm.listening import read_key, read_ratings

KEY = pd.DataFrame(
    [
        ("sa1", "song01", "Alpha", "human"),
        ("sa2", "song01", "Alpha", "ours"),
        ("sa3", "song01", "Alpha", "reference"),
        ("sb1", "song02", "Beta", "human"),
        ("sb2", "song02", "Beta", "ours"),
        ("sb3", "song02", "Beta", "reference"),
    ],
    columns=["id", "page", "song", "system"],
)
WEBMUSHRA = """\
session_test_id,participant,experience_years,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment
fxnorm,Ann,3,uuid-1,song01_clarity,sa1,80,61000,"crisp, clear"
fxnorm,Ann,3,uuid-1,song01_clarity,sa2,35,61000,
fxnorm,Ann,3,uuid-1,song02_clarity,reference,0,5000,
"""
WAET = """\
<waetresult key="k7"><survey location="before"/>
<page ref="song01" state="complete">
  <audioelement ref="sa1" type="normal">
    <comment><response> boomy </response></comment>
    <value interface-name="clarity">0.25</value><value interface-name="excitement">1</value>
    <metric><metricresult name="enableElementTimer">12.5</metricresult></metric>
  </audioelement>
  <audioelement ref="sa3" type="outside-reference"/>
</page>
<page ref="song02" state="empty"><audioelement ref="sb1" type="normal"/></page>
</waetresult>
"""
OWN_CSV = """\
participant,stimulus,criterion,rating,seconds,comment
Bob,sa1,clarity,0.5,10,
Bob,sa2,clarity,0.75,12.5,wide
"""
OWN_JSON = {
    "participant": "Cy",
    "questionnaire": {"equipment": "headphones"},
    "ratings": [{"stimulus": "sb2", "criterion": "clarity", "rating": 0.125, "seconds": 3}],
}


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def rows(table: pd.DataFrame) -> list[tuple]:
    return list(table.fillna(-1.0).itertuples(index=False, name=None))


def test_webmushra_is_read(tmp_path) -> None:
    path = write(tmp_path, "mushra.csv", WEBMUSHRA)
    assert rows(read_ratings([path], KEY)) == [
        ("uuid-1", "Alpha", "human", "clarity", 0.8, 61.0, "crisp, clear"),
        ("uuid-1", "Alpha", "ours", "clarity", 0.35, 61.0, ""),
        ("uuid-1", "Beta", "reference", "clarity", 0.0, 5.0, ""),
    ]


def test_webmushra_without_session_ids_tells_participants_by_name(tmp_path) -> None:
    path = write(tmp_path, "mushra.csv", WEBMUSHRA.replace("uuid-1", ""))
    assert set(read_ratings([path], KEY)["participant"]) == {"Ann"}
    unnamed = write(tmp_path, "m.csv", WEBMUSHRA.replace("uuid-1", "").replace("Ann", ""))
    assert set(read_ratings([unnamed], KEY)["participant"]) == {"3"}


def test_waet_is_read_without_unfinished_pages(tmp_path, caplog) -> None:
    caplog.set_level(logging.WARNING)
    path = write(tmp_path, "save-1.xml", WAET)
    assert rows(read_ratings([path], KEY)) == [
        ("k7", "Alpha", "human", "clarity", 0.25, 12.5, "boomy"),
        ("k7", "Alpha", "human", "excitement", 1.0, 12.5, "boomy"),
    ]
    assert "page 'song02' was not finished" in caplog.text


def test_a_waet_file_without_a_key_is_its_own_participant(tmp_path) -> None:
    path = write(tmp_path, "save-9.xml", WAET.replace(' key="k7"', ""))
    assert set(read_ratings([path], KEY)["participant"]) == {"save-9"}


def test_our_formats_are_read_and_all_may_be_mixed(tmp_path) -> None:
    paths = [
        write(tmp_path, "own.csv", OWN_CSV),
        write(tmp_path, "own.json", json.dumps(OWN_JSON)),
        write(tmp_path, "mushra.csv", WEBMUSHRA),
        write(tmp_path, "save.xml", WAET),
    ]
    table = read_ratings(paths, KEY)
    assert len(table) == 2 + 1 + 3 + 2
    assert rows(table[table["participant"].isin(["Bob", "Cy"])]) == [
        ("Bob", "Alpha", "human", "clarity", 0.5, 10.0, ""),
        ("Bob", "Alpha", "ours", "clarity", 0.75, 12.5, "wide"),
        ("Cy", "Beta", "ours", "clarity", 0.125, 3.0, ""),
    ]
    # The order of the files changes nothing.
    pd.testing.assert_frame_equal(table, read_ratings(paths[::-1], KEY))


def test_unknown_times_are_nan(tmp_path) -> None:
    content = "participant,stimulus,criterion,rating\nBob,sa1,clarity,0.5\n"
    table = read_ratings([write(tmp_path, "own.csv", content)], KEY)
    assert math.isnan(table["seconds"].item())
    assert table["comment"].item() == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.csv", OWN_CSV.replace("sa2", "szz"), "own.csv, row 3: unknown stimulus 'szz'"),
        ("own.csv", OWN_CSV.replace("0.75", "1.75"), "own.csv, row 3: the rating is not"),
        ("own.csv", OWN_CSV.replace("0.75", "nan"), "own.csv, row 3: the rating is not"),
        ("own.csv", OWN_CSV.replace("0.75", "good"), "own.csv, row 3: the rating is not"),
        ("own.csv", OWN_CSV.replace("sa2", "sa1"), "row 3: rates again what .*own.csv, row 2"),
        ("own.csv", OWN_CSV.replace("clarity", ""), "row 2: has no criterion"),
        ("own.csv", OWN_CSV.replace("Bob", " "), "row 2: has no participant"),
        ("own.csv", OWN_CSV.replace("stimulus", "file"), "neither webMUSHRA's columns"),
        ("own.csv", "participant,stimulus,criterion,rating\n", "holds no ratings"),
        ("own.csv", "", "not a CSV table"),
        ("m.csv", WEBMUSHRA.replace("song01_", "song02_"), "row 2: stimulus 'sa1' belongs to"),
        ("m.csv", WEBMUSHRA.replace("song01_clarity", "song01"), "row 2: has no criterion"),
        ("m.csv", WEBMUSHRA.replace(",80,", ",101,"), "row 2: the rating is not"),
        ("m.csv", WEBMUSHRA.replace("song02_", "song09_"), "row 4: unknown stimulus 'reference'"),
        ("s.xml", WAET.replace('"empty"', '"complete"'), "'song02', element 'sb1': has no rating"),
        ("s.xml", WAET.replace("0.25", "2"), "element 'sa1': the rating is not"),
        ("s.xml", WAET.replace("waetresult", "waet"), "a 'waet' document"),
        ("s.xml", "<waetresult>", "not XML"),
        ("o.json", "{}", "not a document with"),
        ("o.json", "[1]", "not a document with"),
        ("o.json", '{"participant": "x", "ratings": [{}]}', "rating 1: has no"),
        ("o.json", '{"participant": "x", "ratings": [3]}', "not a document with"),
        ("o.txt", "", "unknown kind of results"),
    ],
)
def test_what_cannot_be_attributed_is_refused_with_its_place(
    tmp_path, name: str, content: str, message: str
) -> None:
    with pytest.raises(FxNormError, match=message):
        read_ratings([write(tmp_path, name, content)], KEY)


def test_missing_files_and_no_files_are_refused(tmp_path) -> None:
    for name in ("a.csv", "a.json", "a.xml"):
        with pytest.raises(FxNormError, match="no such file"):
            read_ratings([tmp_path / name], KEY)
    with pytest.raises(FxNormError, match="no results"):
        read_ratings([], KEY)


def test_a_key_must_be_a_key(tmp_path) -> None:
    KEY.to_csv(tmp_path / "key.csv", index=False)
    pd.testing.assert_frame_equal(read_key(tmp_path / "key.csv"), KEY, check_dtype=False)
    with pytest.raises(FxNormError, match="has no column 'id'"):
        read_key(write(tmp_path, "other.csv", OWN_CSV))
