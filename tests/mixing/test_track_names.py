from pathlib import PurePath

import pytest

from fxnorm.conventions import STEMS
from fxnorm.mixing.track_names import is_mix, stem_types_of


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("01_KickIn.wav", "drums"),
        ("Snare Top.WAV", "drums"),
        ("OH_L.wav", "drums"),
        ("HiHat.wav", "drums"),
        ("Bass Drum.wav", "drums"),
        ("ElecGtr1.wav", "other"),
        ("EGtr L.wav", "other"),
        ("Bass Guitar.wav", "bass"),
        ("SynthBass.wav", "bass"),
        ("BassDI.wav", "bass"),
        ("808.wav", "bass"),
        ("LeadVox_dbl.wav", "vocals"),
        ("BGV 2.wav", "vocals"),
        ("Vocals\u0301.wav", "vocals"),
        ("Drums/12.wav", "drums"),
        ("Drums/sub kick.wav", {"drums", "bass"}),
        ("vocals_room/drums.wav", "drums"),
        ("Piano.wav", "other"),
        ("Guitar Loop.wav", "other"),
        ("Keys/Loop 3.wav", "other"),
        ("Beat 2.wav", "drums"),
        ("GTR1_L.wav", "other"),
        ("EGTR1.wav", "other"),
        ("SNARETOP.wav", "drums"),
        ("OHL.wav", "drums"),
        ("BASSDI.wav", "bass"),
        ("leadvox.wav", "vocals"),
        ("BGs.wav", "vocals"),
        ("BACKVOX.wav", "vocals"),
        ("Ovhd L.wav", "drums"),
        ("synthbass.wav", "bass"),
        ("no_vocals.wav", {"bass", "drums", "other"}),
        ("song_(No Vocals).wav", {"bass", "drums", "other"}),
        ("Vocals (Instrumental).wav", {"bass", "drums", "other"}),
        ("Instrumental/Guitar.wav", "other"),
        ("Audio 3.wav", set()),
        ("Thatcher.wav", set()),
    ],
)
def test_names_that_engineers_give(name, stem):
    assert stem_types_of(PurePath(name), STEMS) == ({stem} if isinstance(stem, str) else stem)


def test_types_of_the_model_come_before_the_instruments_of_other():
    assert stem_types_of(PurePath("Guitar 1.wav"), (*STEMS, "guitar")) == {"guitar"}
    assert stem_types_of(PurePath("Piano.wav"), ("vocals", "bass")) == set()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("guitar2.wav", "guitar2"),
        ("01 Guitar 2.wav", "guitar2"),
        ("sitar_2.wav", "sitar_2"),
        ("Guitar 12.wav", "other"),
        ("guitar2/room.wav", "guitar2"),
    ],
)
def test_types_with_a_number_in_their_names_are_known_by_it(name, stem):
    assert stem_types_of(PurePath(name), (*STEMS, "guitar2", "sitar_2")) == {stem}


def test_a_name_that_denies_means_the_only_type_that_is_left():
    assert stem_types_of(PurePath("no_vocals.wav"), ("vocals", "other")) == {"other"}
    # "no" is no part of a title that could be ignored.
    found = stem_types_of(PurePath("no_vocals.wav"), STEMS, {"no", "song"})
    assert found == {"bass", "drums", "other"}


def test_mixes_of_the_whole_song_are_known():
    assert is_mix(PurePath("Song_Mixdown.wav"))
    assert not is_mix(PurePath("Remix Vox.wav"))
