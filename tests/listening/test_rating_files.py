"""Reading ratings in every format, and refusing what cannot be attributed."""

import json
import logging
import math
from pathlib import Path

import pandas as pd
import pytest

from fxnorm.errors import FxNormError
from fxnorm.listening import AnswerKey, Ignored, read_key, read_results
from fxnorm.listening.answer_key import Stimulus

REAL = Path(__file__).parent / "results"
KEY = AnswerKey(
    {
        "sa1": Stimulus("song01", "Alpha", "human"),
        "sa2": Stimulus("song01", "Alpha", "ours"),
        "sa3": Stimulus("song01", "Alpha", "reference"),
        "sb1": Stimulus("song02", "Beta", "human"),
        "sb2": Stimulus("song02", "Beta", "ours"),
        "sb3": Stimulus("song02", "Beta", "reference"),
    },
    {"clarity": "Clarity", "excitement": "Excitement"},
    "fxnorm",
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


def own_json(**rating) -> str:
    """The document with its rating changed."""
    return json.dumps(OWN_JSON | {"ratings": [OWN_JSON["ratings"][0] | rating]})


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def rows(table: pd.DataFrame) -> list[tuple]:
    return list(table.fillna(-1.0).itertuples(index=False, name=None))


def test_webmushra_is_read(tmp_path) -> None:
    path = write(tmp_path, "mushra.csv", WEBMUSHRA)
    assert rows(read_results([path], KEY).ratings) == [
        ("uuid-1", "Alpha", "human", "clarity", 0.8, 61.0, "crisp, clear"),
        ("uuid-1", "Alpha", "ours", "clarity", 0.35, 61.0, ""),
        ("uuid-1", "Beta", "reference", "clarity", 0.0, 5.0, ""),
    ]


def test_webmushra_without_session_ids_tells_participants_by_name(tmp_path) -> None:
    path = write(tmp_path, "mushra.csv", WEBMUSHRA.replace("uuid-1", ""))
    assert set(read_results([path], KEY).ratings["participant"]) == {"Ann"}
    unnamed = write(tmp_path, "m.csv", WEBMUSHRA.replace("uuid-1", "").replace("Ann", ""))
    assert set(read_results([unnamed], KEY).ratings["participant"]) == {"3"}


def test_waet_is_read_without_unfinished_pages(tmp_path, caplog) -> None:
    caplog.set_level(logging.WARNING)
    path = write(tmp_path, "save-1.xml", WAET)
    assert rows(read_results([path], KEY).ratings) == [
        ("k7", "Alpha", "human", "clarity", 0.25, 12.5, "boomy"),
        ("k7", "Alpha", "human", "excitement", 1.0, 12.5, "boomy"),
    ]
    assert "page 'song02' was not finished" in caplog.text


def test_a_waet_file_without_a_key_is_its_own_participant(tmp_path) -> None:
    path = write(tmp_path, "save-9.xml", WAET.replace(' key="k7"', ""))
    assert set(read_results([path], KEY).ratings["participant"]) == {"save-9"}


def test_our_formats_are_read_and_all_may_be_mixed(tmp_path) -> None:
    paths = [
        write(tmp_path, "own.csv", OWN_CSV),
        write(tmp_path, "own.json", json.dumps(OWN_JSON)),
        write(tmp_path, "mushra.csv", WEBMUSHRA),
        write(tmp_path, "save.xml", WAET),
    ]
    table = read_results(paths, KEY).ratings
    assert len(table) == 2 + 1 + 3 + 2
    assert rows(table[table["participant"].isin(["Bob", "Cy"])]) == [
        ("Bob", "Alpha", "human", "clarity", 0.5, 10.0, ""),
        ("Bob", "Alpha", "ours", "clarity", 0.75, 12.5, "wide"),
        ("Cy", "Beta", "ours", "clarity", 0.125, 3.0, ""),
    ]
    # The order of the files changes nothing.
    pd.testing.assert_frame_equal(table, read_results(paths[::-1], KEY).ratings)


def test_unknown_times_are_nan(tmp_path) -> None:
    content = "participant,stimulus,criterion,rating\nBob,sa1,clarity,0.5\n"
    table = read_results([write(tmp_path, "own.csv", content)], KEY).ratings
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
        ("own.csv", OWN_CSV.replace("12.5", "-1"), "row 3: the time is not a number of seconds"),
        ("own.csv", OWN_CSV.replace("12.5", "inf"), "row 3: the time is not a number of seconds"),
        ("own.csv", OWN_CSV.replace("12.5", "long"), "row 3: the time is not a number of seconds"),
        ("own.csv", OWN_CSV.replace("sa2,clarity", "sa2,clear"), "row 3: the criterion 'clear' is"),
        ("own.csv", OWN_CSV.replace(",wide", ""), r"row 3: has \d+ cells in place"),
        ("own.csv", OWN_CSV.replace("wide", "wide,2"), r"row 3: has \d+ cells in place"),
        ("own.csv", OWN_CSV.replace("\n", "\n\n", 1).replace(",wide", ""), "row 4: has 5 cells"),
        ("own.csv", OWN_CSV.replace("seconds", "rating"), "does not name every column once"),
        ("m.csv", WEBMUSHRA.replace("fxnorm,", "other,"), "of the test 'other', but the key"),
        ("m.csv", WEBMUSHRA.replace("_clarity,sa1", "_width,sa1"), "row 2: the criterion 'width'"),
        ("m.csv", WEBMUSHRA.replace("sa2", "low"), "unknown stimulus 'low' on page 'song01_clar"),
        ("s.xml", WAET.replace('"excitement"', '"x"'), "element 'sa1': the criterion 'x' is none"),
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
        ("o.json", "{", "not valid JSON"),
        ("o.json", "[" * 100_000, "not valid JSON"),
        ("o.json", "{}", "not a document with"),
        ("o.json", "[1]", "not a document with"),
        ("o.json", '{"participant": "x", "ratings": [{}]}', "rating 1: has no"),
        ("o.json", '{"participant": "x", "ratings": [3]}', "rating 1: not a rating"),
        ("o.json", '{"participant": null, "ratings": []}', "has no participant"),
        ("o.json", '{"participant": " ", "ratings": []}', "has no participant"),
        ("o.json", '{"participant": true, "ratings": []}', "has no participant"),
        ("o.json", own_json(participant="Di"), "rating 1: is of 'Di' in the file of 'Cy'"),
        ("o.json", own_json(rating=True), "rating 1: the rating is not a number"),
        ("o.json", own_json(rating=math.nan), "rating 1: the rating is not a number"),
        ("o.json", own_json(rating=10**400), "the integer 1000"),
        ("o.json", own_json(seconds=-3), "rating 1: the time is not"),
        ("o.json", own_json(seconds=True), "rating 1: the time is not"),
        ("o.json", own_json(trial=3), "trial '3' is neither"),
        ("o.json", own_json(page="song01"), "belongs to page 'song02', not to 'song01'"),
        ("o.json", json.dumps(OWN_JSON | {"test_id": "old"}), "of the test 'old', but the key is"),
        ("o.json", json.dumps(OWN_JSON | {"questionnaire": 3}), "holds no answers by question"),
        ("o.txt", "", "unknown kind of results"),
    ],
)
def test_what_cannot_be_attributed_is_refused_with_its_place(
    tmp_path, name: str, content: str, message: str
) -> None:
    with pytest.raises(FxNormError, match=message):
        read_results([write(tmp_path, name, content)], KEY)


def test_missing_files_and_no_files_are_refused(tmp_path) -> None:
    for name in ("a.csv", "a.json", "a.xml"):
        with pytest.raises(FxNormError, match="no such file"):
            read_results([tmp_path / name], KEY)
    with pytest.raises(FxNormError, match="no results"):
        read_results([], KEY)


def test_files_that_are_not_text_are_refused(tmp_path) -> None:
    for name in ("a.csv", "a.json", "a.xml"):
        (tmp_path / name).write_bytes(OWN_CSV.encode("utf-16"))
        with pytest.raises(FxNormError, match="not text in UTF-8"):
            read_results([tmp_path / name], KEY)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_what_spreadsheets_make_of_csv_is_read(tmp_path, delimiter: str, end: str) -> None:
    plain = read_results([write(tmp_path, "own.csv", OWN_CSV)], KEY).ratings
    text = OWN_CSV.replace(",", delimiter).replace(".", ",").replace("\n", end)
    (tmp_path / "excel.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    pd.testing.assert_frame_equal(read_results([tmp_path / "excel.csv"], KEY).ratings, plain)


def test_a_byte_order_mark_is_no_part_of_a_json_or_xml_file(tmp_path) -> None:
    for name, content in (("o.json", json.dumps(OWN_JSON)), ("s.xml", WAET)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert len(read_results([tmp_path / name], KEY).ratings) > 0


def test_identical_copies_count_once_and_are_warned_of(tmp_path, caplog) -> None:
    one = write(tmp_path, "own.csv", OWN_CSV)
    copy = write(tmp_path, "own (1).csv", OWN_CSV + "Bob,sa2,clarity,0.75,99,wide\n")
    table = read_results([one, copy], KEY).ratings
    pd.testing.assert_frame_equal(table, read_results([one], KEY).ratings)
    assert "own (1).csv: 3 ratings are copies of others and are left out" in caplog.text
    with pytest.raises(FxNormError, match="rates again"):
        read_results([one, write(tmp_path, "b.csv", OWN_CSV.replace("0.75", "0.7"))], KEY)


def test_pages_and_stimuli_that_were_added_can_be_left_out(tmp_path) -> None:
    text = WEBMUSHRA + (
        "fxnorm,Ann,3,uuid-1,training,t1,100,1,\n"
        "fxnorm,Ann,3,uuid-1,song01_clarity,mylowpass,3,1,\n"
        "fxnorm,Ann,3,uuid-1,song02_clarity,anchor35,5,1,\n"
    )
    path = write(tmp_path, "m.csv", text)
    with pytest.raises(
        FxNormError, match=r"unknown stimulus 't1' on page 'training'; .*ignore-page"
    ):
        read_results([path], KEY)
    ignored = Ignored(pages=["training"], stimuli=["mylowpass"])
    table = read_results([path], KEY, ignored).ratings
    assert len(table) == 4
    # The tool's own anchors are known.
    assert "anchor35" in set(table["system"])
    waet = write(tmp_path, "s.xml", WAET.replace('ref="song01"', 'ref="training"'))
    with pytest.raises(FxNormError, match="belongs to page 'song01', not to 'training'"):
        read_results([waet], KEY)
    both = read_results([waet, path], KEY, ignored).ratings
    pd.testing.assert_frame_equal(both, table)


def test_participants_come_with_their_answers(tmp_path) -> None:
    xml = WAET.replace(
        '<survey location="before"/>',
        '<survey location="pre"><surveyresult ref="participant"><response>Eve &amp; co</response>'
        '</surveyresult><surveyresult ref="equipment"><response name="loudspeakers">Big ones'
        "</response></surveyresult></survey>",
    )
    paths = [
        write(tmp_path, "mushra.csv", WEBMUSHRA),
        write(tmp_path, "save.xml", xml),
        write(tmp_path, "own.json", json.dumps(OWN_JSON)),
        write(
            tmp_path,
            "own.csv",
            "participant;equipment;stimulus;criterion;rating\nBo;x;sa1;clarity;1",
        ),
    ]
    table = read_results(paths, KEY).participants
    assert table.set_index("participant").drop(columns="file").to_dict("index") == {
        "Bo": {"name": "Bo", "session": "", "experience_years": "", "equipment": "x"},
        "Cy": {"name": "Cy", "session": "", "experience_years": "", "equipment": "headphones"},
        "k7": {
            "name": "Eve & co",
            "session": "k7",
            "experience_years": "",
            "equipment": "loudspeakers",
        },
        "uuid-1": {
            "name": "Ann",
            "session": "uuid-1",
            "experience_years": "3",
            "equipment": "",
        },
    }


def test_one_name_with_two_sessions_is_warned_of_and_can_be_left_out(tmp_path, caplog) -> None:
    again = WEBMUSHRA + WEBMUSHRA.partition("\n")[2].replace("uuid-1", "uuid-2")
    path = write(tmp_path, "m.csv", again)
    assert set(read_results([path], KEY).ratings["participant"]) == {"uuid-1", "uuid-2"}
    assert "'Ann' has 2 sessions, which count as different participants" in caplog.text
    ignored = Ignored(participants={"uuid-2": "second try"})
    results = read_results([path], KEY, ignored)
    assert set(results.ratings["participant"]) == {"uuid-1"}
    assert results.excluded == {"uuid-2": "second try"}
    with pytest.raises(FxNormError, match="no participant 'Ben' to exclude; there are uuid-1, uui"):
        read_results([path], KEY, Ignored(participants={"Ben": "x"}))
    with pytest.raises(FxNormError, match="holds no ratings"):
        read_results([path], KEY, Ignored(participants={"Ann": "x"}))


def test_two_sessions_of_one_name_on_our_page_are_told_apart(tmp_path, caplog) -> None:
    paths = [
        write(tmp_path, f"{session}.json", json.dumps(OWN_JSON | {"session": session}))
        for session in ("1234567890", "abcdefghij")
    ]
    table = read_results(paths, KEY).ratings
    assert list(table["participant"]) == ["Cy (12345678)", "Cy (abcdefgh)"]
    assert "'Cy' has 2 sessions" in caplog.text
    # One session as JSON and as CSV is one participant.
    assert list(read_results(paths[:1] * 2, KEY).ratings["participant"]) == ["Cy"]


def test_untouched_sliders_are_warned_of(tmp_path, caplog) -> None:
    path = write(tmp_path, "m.csv", WEBMUSHRA.replace(",80,", ",100,").replace(",35,", ",100,"))
    read_results([path], KEY)
    assert "uuid-1: all mixes of 'Alpha' are at 100 for clarity" in caplog.text
    caplog.clear()
    read_results([write(tmp_path, "m.csv", WEBMUSHRA.replace(",80,", ",100,"))], KEY)
    assert caplog.text == ""


def test_what_is_rated_a_second_time_is_kept_apart(tmp_path) -> None:
    ratings = [OWN_JSON["ratings"][0] | {"trial": trial, "rating": 0.1 * trial} for trial in (1, 2)]
    path = write(tmp_path, "o.json", json.dumps(OWN_JSON | {"ratings": ratings}))
    results = read_results([path], KEY)
    assert results.ratings["rating"].tolist() == [0.1]
    assert results.repeats["rating"].tolist() == [0.2]


def test_results_of_the_real_webmushra_are_read() -> None:
    results = read_results([REAL / "webmushra.csv"], read_key(REAL / "key.csv"))
    assert len(results.ratings) == 4 * 3 * 3 * 6
    table = results.participants
    assert table["name"].tolist() == ["P1", "P3", "P5", "P2"]
    assert set(table["experience_years"]) == {"5"}
    assert table["remarks"][0] == 'Very good, "nice" ä\nline two'
    row = results.ratings[
        (results.ratings["participant"] == table["participant"][0])
        & (results.ratings["song"] == "Ärger & Übung – Nº2")
        & (results.ratings["criterion"] == "production-value")
    ].set_index("system")["rating"]
    assert row["human"] == 0.66
    assert row["reference"] == 0.35


def test_results_of_the_real_waet_are_read(caplog) -> None:
    key = read_key(REAL / "key.csv")
    files = ("waet_complete.xml", "waet_partial.xml", "waet_empty.xml")
    results = read_results([REAL / file for file in files], key)
    # Three songs and one, five mixes, three criteria: the embedded test's pages do not count.
    assert results.ratings.groupby("participant").size().tolist() == [15, 45]
    assert results.participants["name"].tolist() == ["W2 & co", "W3"]
    assert results.participants["equipment"].tolist() == ["headphones"] * 2
    assert results.ratings["seconds"].notna().all()
    assert "waet_empty.xml: holds no ratings and is left out" in caplog.text
    assert caplog.text.count("was not finished and is left out") == 2
    with pytest.raises(FxNormError, match="holds no ratings"):
        read_results([REAL / "waet_empty.xml"], key)
