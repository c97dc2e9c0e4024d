"""The key: what it holds, and that a changed one is refused."""

import csv
from pathlib import Path

import pytest

from fxnorm.errors import FxNormError
from fxnorm.listening import Criterion, KeyRow, ListeningConfig, read_key
from fxnorm.listening.answer_key import Stimulus, opaque_id, write_key

SONGS = {"song01": "Alpha", "song02": "Beta, é"}
SYSTEMS = ("human", "ours", "reference")
CONFIG = ListeningConfig(
    test_id="mine",
    criteria=(
        Criterion(id="width", title='Width, "wide"', question="How wide?"),
        Criterion(id="depth", title="Depth", question="How deep?"),
    ),
)


def make_rows(seed: int = 4) -> list[KeyRow]:
    return [
        KeyRow(opaque_id(seed, song, system), page, song, system, 3.0, 25.0, -1.5, -23.0, -2.0, 0.0)
        for page, song in SONGS.items()
        for system in SYSTEMS
    ]


@pytest.fixture
def path(tmp_path) -> Path:
    write_key(tmp_path / "key.csv", make_rows(), CONFIG, 4)
    return tmp_path / "key.csv"


def test_the_key_reads_back(path) -> None:
    key = read_key(path)
    assert key.stimuli == {row.id: Stimulus(row.page, row.song, row.system) for row in make_rows()}
    assert key.criteria == {"width": 'Width, "wide"', "depth": "Depth"}
    assert list(key.criteria) == ["width", "depth"]
    assert key.test_id == "mine"
    assert key.references == {page: opaque_id(4, song, "reference") for page, song in SONGS.items()}


def test_songs_and_systems_are_no_formulas_to_a_spreadsheet(tmp_path) -> None:
    path, names = tmp_path / "key.csv", ("=1+1", "@a", "+x", "-x")
    rows = [
        KeyRow(opaque_id(4, name, name), f"song{number}", name, name, *[0.0] * 6)
        for number, name in enumerate(names)
    ]
    write_key(path, rows, CONFIG, 4)
    with path.open(encoding="utf-8", newline="") as stream:
        written = [(row["song"], row["system"]) for row in csv.DictReader(stream)]
    assert written == [(f"'{name}", f"'{name}") for name in names]
    stimuli = read_key(path).stimuli.values()
    assert [(one.song, one.system) for one in stimuli] == [(name, name) for name in names]


def test_a_key_saved_by_a_spreadsheet_program_is_read(path) -> None:
    key = read_key(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_key(path) == key
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=";").writerows(rows)
    assert read_key(path) == key


def test_a_key_of_an_old_export_has_neither_criteria_nor_test(tmp_path) -> None:
    key = read_key(Path(__file__).parent / "results" / "key.csv")
    assert (len(key.stimuli), key.criteria, key.test_id) == (18, None, None)


def change(path: Path, row: int, **cells: str) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[row] |= cells
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"system": "ours"}, "row 2: '.*' is not the name .* gave to 'ours' of 'Alpha'"),
        ({"song": "Beta, é"}, "row 2: '.*' is not the name that the export gave"),
        ({"id": "s000000000000"}, "row 2: 's000000000000' is not the name"),
        ({"seed": "x"}, "row 2: the seed is not a number"),
        ({"page": "song02"}, "are mixed up"),
        ({"test_id": "other"}, "rows differ in 'test_id'"),
        ({"criteria": "{}"}, "rows differ in 'criteria'"),
    ],
)
def test_a_changed_key_is_refused(path, cells: dict[str, str], message: str) -> None:
    change(path, 0, **cells)
    with pytest.raises(FxNormError, match=message):
        read_key(path)


def test_swapped_systems_are_found(path) -> None:
    change(path, 0, system="ours")
    change(path, 1, system="human")
    with pytest.raises(FxNormError, match="is not the name that the export gave to"):
        read_key(path)


def test_a_song_has_one_mix_of_each_system_also_in_old_keys(tmp_path) -> None:
    rows = "id,page,song,system\nsa,song01,A,human\nsb,song01,A,human\n"
    (tmp_path / "key.csv").write_text(rows)
    with pytest.raises(FxNormError, match="'A' has two mixes of 'human'"):
        read_key(tmp_path / "key.csv")


def test_a_name_stands_for_one_stimulus(path) -> None:
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with pytest.raises(FxNormError, match=r"row 8: '.*' is there twice"):
        read_key(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("participant,stimulus\nBob,sa1\n", "has no column 'id'"),
        ("", "not a CSV table"),
        ("id,page,song,system\n", "names no stimuli"),
        ('id,page,song,system,criteria\na,b,c,human,"[1"\n', "'criteria' holds no names"),
        ("id,page,song,system,criteria\na,b,c,human,3\n", "'criteria' holds no names"),
    ],
)
def test_a_key_must_be_a_key(tmp_path, text: str, message: str) -> None:
    (tmp_path / "key.csv").write_text(text)
    with pytest.raises(FxNormError, match=message):
        read_key(tmp_path / "key.csv")


def test_a_missing_key_is_named(tmp_path) -> None:
    with pytest.raises(FxNormError, match=r"no such file; give the key\.csv"):
        read_key(tmp_path / "key.csv")
    with pytest.raises(FxNormError, match="no such file"):
        read_key(tmp_path)
