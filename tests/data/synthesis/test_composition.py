"""Composition: forms, harmony, registers, pauses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxnorm.data.synthesis.composition import compose
from fxnorm.data.synthesis.harmony import nearest_pitch, progression, scale, voicing
from fxnorm.data.synthesis.styles import STYLES
from fxnorm.errors import FxNormError

BASSES = ("finger_bass", "picked_bass", "synth_bass", "sub_bass", "upright_bass")


def random(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def songs():
    return compose({"train": 48, "test": 10}, (16.0, 24.0), seed=0)


def test_no_two_songs_share_tempo_chords_or_pattern(songs):
    outlines = [song.outline for group in songs.values() for song in group]
    assert len(outlines) == 58
    assert len({outline.tempo_bpm for outline in outlines}) == 58
    assert len({outline.pattern for outline in outlines}) == 58
    assert len({c for outline in outlines for c in outline.chords.values()}) == 2 * 58


def test_every_style_plays_in_every_partition(songs):
    for group in songs.values():
        assert {song.outline.style for song in group} == set(STYLES)
        assert [song.name for song in group] == sorted(song.name for song in group)
        for song in group:
            low, high = STYLES[song.outline.style].tempo_bpm
            assert low <= song.outline.tempo_bpm <= high


def test_song_does_not_depend_on_how_many_follow(songs):
    fewer = compose({"train": 5, "test": 1}, (16.0, 24.0), seed=0)
    assert fewer["train"] == songs["train"][:5]
    assert compose({"train": 1}, (16.0, 24.0), seed=1)["train"][0] != songs["train"][0]


def test_parts_stay_within_song_scale_and_register(songs):
    for song in songs["train"][:16]:
        outline = song.outline
        classes = {tone % 12 for tone in scale(outline.key, outline.minor)}
        assert len(song.lead) > 4
        kinds = {section.kind for section in song.sections}
        assert {"verse", "chorus"} <= kinds <= {"intro", "verse", "break", "chorus", "outro"}
        bars = [range(s.first_bar, s.first_bar + s.bars) for s in song.sections]
        assert [bar for section in bars for bar in section] == list(range(bars[-1].stop))
        for note in (*song.lead, *song.backing, *(n for p in song.accompaniment for n in p.notes)):
            assert note.pitch % 12 in classes
            assert 0.0 <= note.start_s < outline.duration_s
            assert 0.0 < note.velocity <= 1.0
        assert all(28 <= note.pitch <= 55 for note in song.bass.notes)
        assert all(40 <= syllable.pitch <= 88 for syllable in song.lead)
        starts = [syllable.start_s for syllable in song.lead]
        ends = [syllable.start_s + syllable.duration_s for syllable in song.lead]
        assert all(end <= start + 0.05 for end, start in zip(ends, starts[1:], strict=False))
        drums = {hit.drum for hit in song.drums}
        assert {"kick", "snare", "crash"} <= drums
        assert {"hat", "ride"} & drums


def test_stems_pause_where_their_players_do(songs):
    paused = set()
    for song in songs["train"][:24]:
        bar_s = 240.0 / song.outline.tempo_bpm
        played = {
            "lead": [n.start_s for n in song.lead],
            "drums": [h.start_s for h in song.drums],
            "bass": [n.start_s for n in song.bass.notes],
            **{p.role: [n.start_s for n in p.notes] for p in song.accompaniment},
        }
        for section in song.sections:
            first = section.first_bar * bar_s + 0.05
            last = (section.first_bar + section.bars) * bar_s - 0.05
            for player, starts in played.items():
                inside = [start for start in starts if first < start < last]
                if player not in section.players:
                    assert not inside
                    paused.add(player)
    assert {"lead", "drums", "bass", "rhythm"} <= paused


def test_forms_and_instruments_vary(songs):
    songs = songs["train"]
    assert len({tuple(s.kind for s in song.sections) for song in songs}) >= 5
    assert len({tuple(p.instrument for p in song.accompaniment) for song in songs}) >= 20
    assert {song.bass.instrument for song in songs} == set(BASSES)


def test_too_many_songs_fail_with_a_remedy(monkeypatch):
    monkeypatch.setattr("fxnorm.data.synthesis.composition._ATTEMPTS", 0)
    with pytest.raises(FxNormError, match="ask for fewer"):
        compose({"train": 1}, (16.0, 24.0), seed=0)


@given(
    key=st.integers(0, 11),
    minor=st.booleans(),
    sevenths=st.booleans(),
    start=st.sampled_from([0, 3, 5]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_chords_are_diatonic_and_their_voicings_close(key, minor, sevenths, start, seed):
    classes = {tone % 12 for tone in scale(key, minor)}
    chords = progression(key, minor, sevenths, start, random(seed))
    assert chords[0].root == scale(key, minor)[start] % 12
    for chord in chords:
        tones = {(chord.root + interval) % 12 for interval in chord.intervals}
        assert len(tones) == (4 if sevenths else 3)
        assert tones <= classes
        pitches = voicing(chord, 62.0, 4)
        assert {pitch % 12 for pitch in pitches} <= tones
        assert len(set(pitches)) == 4
        assert max(abs(pitch - 62.0) for pitch in pitches) <= 12


@given(pitch_class=st.integers(0, 11), centre=st.floats(30, 90))
def test_nearest_pitch_is_within_half_an_octave(pitch_class, centre):
    pitch = nearest_pitch(pitch_class, centre)
    assert pitch % 12 == pitch_class
    assert abs(pitch - centre) <= 6.5
