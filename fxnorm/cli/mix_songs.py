"""`fxnorm mix --songs`: all songs of a folder, continuing where an interrupted run was."""

import argparse
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxnorm.audio.names import require_target, shown
from fxnorm.cli.common import check_output, keep_inputs, print_json, warn
from fxnorm.cli.mix_song import keep_apart, known_types, mix_song, written_files
from fxnorm.conventions import STEMS
from fxnorm.digests import digest
from fxnorm.errors import FxNormError, to_mend
from fxnorm.models.default_model import DEFAULT_MODEL
from fxnorm.outputs import alone_in, write_text
from fxnorm.progress import progress

if TYPE_CHECKING:
    from fxnorm.mixing import Track

#: Options that change how the work is done and not what comes of it.
_OF_NO_EFFECT = ("jobs", "dask", "json", "run", "given", "device")


@dataclass(frozen=True)
class _Order:
    """One song to be mixed."""

    name: str
    """The name of its folder."""
    tracks: "dict[str, tuple[Track, ...]]"
    """By stem type."""
    output: Path
    """File of the mix; its report lies beside it."""
    stems: str | None
    """Folder for the stems of the mix; None for none."""
    page: str | None
    """File of the page; None for none."""
    fingerprint: str
    """Of all that the mix is made from."""
    notes: tuple[str, ...]
    """On how its files were matched."""

    @property
    def report(self) -> Path:
        return self.output.with_suffix(".json")

    @property
    def written(self) -> list[Path]:
        return [self.report, *written_files(self.output, self.stems, self.page, self.tracks)]


def mix_all(options: argparse.Namespace) -> None:
    """Mix every song in `--songs` into `<output>/<song>.wav`, with its report as JSON beside it.

    A song whose report says that it was made from the same files with the same options is kept.

    Raises:
        FxNormError: no songs, an unusable option, another process at work in the folders, or songs
            that could not be mixed; the others are.
    """
    orders, faults = _orders(options)
    folders = (options.output, options.stems, options.page)
    with alone_in(*(folder for folder in folders if folder is not None)):
        reports = _mix_missing(options, orders, faults)
    for name, report in reports.items():
        warn([f"{name}: {message}" for message in report["warnings"]])
    if options.json:
        print_json(reports)
    else:
        print(f"{options.output}: {len(reports)} mixes")
    if faults:
        texts = "; ".join(f"{name}: {fault}" for name, fault in sorted(faults.items()))
        raise FxNormError(f"{len(faults)} songs could not be mixed: {texts}")


def _mix_missing(
    options: argparse.Namespace, orders: list[_Order], faults: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """Mix what is not there yet, and add to the faults; the reports of all mixes that are there."""
    from fxnorm.workers import in_processes

    to_do = [order for order in orders if not _is_done(order)]
    kept = len(orders) - len(to_do)
    if kept and not options.json:
        print(f"{options.output}: {kept} of {len(orders)} songs are there already")
    work = in_processes(_mix, ((order.name, (options, order)) for order in to_do), options.jobs)
    for name, fault in progress(work, len(to_do), "mix", "songs"):
        if fault is not None:
            faults[name] = fault
    mixed = [order for order in orders if order.name not in faults]
    return {order.name: json.loads(order.report.read_text("utf-8")) for order in mixed}


def _orders(options: argparse.Namespace) -> tuple[list[_Order], dict[str, str]]:
    from fxnorm.mixing import notes_on_place, read_session

    if options.song is not None or options.stem or any(getattr(options, stem) for stem in STEMS):
        raise FxNormError("--songs takes all songs of a folder; give no other stems with it")
    root, target = Path(options.songs), Path(options.output)
    if not root.is_dir():
        raise FxNormError(f"{root}: no such folder of songs")
    if target.is_file():
        raise FxNormError(f"{target}: is a file; with --songs, give a folder")
    suffix = f".{options.format or 'wav'}"
    check_output(str(target / f"<song>{suffix}"), [suffix], options.subtype)
    types = known_types(options)
    orders, faults = [], {}
    own = {os.path.realpath(place) for place in (target, options.stems, options.page) if place}
    for folder in shown(root):
        if os.path.realpath(folder) in own:
            _refuse_song(folder, types)
            continue
        try:
            require_target(folder)
            if not folder.is_dir() or _holds_only(folder, own):
                continue
            session = read_session(folder, types, unknown_as_other=options.unknown == "other")
            fingerprint = _fingerprint(options, session.tracks)
            stems = None if options.stems is None else str(Path(options.stems) / folder.name)
            if stems is not None:
                keep_apart(stems, session.tracks, types)
        except (FxNormError, OSError) as error:
            faults[folder.name] = str(to_mend(error))
            continue
        output = target / f"{folder.name}{suffix}"
        audio = written_files(output, stems, None, session.tracks)
        order = _Order(
            name=folder.name,
            tracks=session.tracks,
            output=output,
            stems=stems,
            page=None if options.page is None else str(Path(options.page) / f"{folder.name}.html"),
            fingerprint=fingerprint,
            notes=(*session.notes, *notes_on_place(folder, audio, types)),
        )
        orders.append(order)
    if not orders and not faults:
        raise FxNormError(f"{root}: holds no folders of songs")
    tracks = (track for order in orders for its in order.tracks.values() for track in its)
    written = (path for order in orders for path in order.written)
    keep_inputs(written, (str(track.audio) for track in tracks))
    return orders, faults


def _refuse_song(place: Path, types: Collection[str]) -> None:
    """Refuse a place for what is written that holds tracks: that song would not be mixed."""
    from fxnorm.audio import is_audio
    from fxnorm.mixing.track_names import stem_types_of

    for path in filter(is_audio, shown(place) if place.is_dir() else ()):
        # A mix has its report beside it.
        if stem_types_of(Path(path.name), types) and not path.with_suffix(".json").is_file():
            raise FxNormError(
                f"{place}: holds tracks ({path.name}), and mixes would go there; give a folder that"
                " is no song's"
            )


def _holds_only(folder: Path, places: Collection[str]) -> bool:
    inner = {os.path.realpath(path) for path in shown(folder)}
    return bool(inner) and inner <= set(places)


def _mix(options: argparse.Namespace, order: _Order) -> tuple[str, str | None]:
    """The song's name, and what went wrong."""
    import torch

    # Songs run side by side: each has one core.
    torch.set_num_threads(1)
    try:
        report = mix_song(options, order.tracks, order.output, order.stems, order.page)
    except (FxNormError, OSError) as error:
        return order.name, str(to_mend(error))
    report["warnings"] = [*order.notes, *report["warnings"]]
    report["fingerprint"] = order.fingerprint
    write_text(order.report, json.dumps(report, indent=2) + "\n")
    return order.name, None


def _is_done(order: _Order) -> bool:
    if not all(path.is_file() for path in order.written):
        return False
    try:
        report = json.loads(order.report.read_text("utf-8"))
    except ValueError:
        return False
    return isinstance(report, dict) and report.get("fingerprint") == order.fingerprint


def _fingerprint(options: argparse.Namespace, tracks: "dict[str, tuple[Track, ...]]") -> str:
    """Of the options, and of size and time of every file that they name."""
    settings = {k: v for k, v in vars(options).items() if k not in _OF_NO_EFFECT}
    files = [str(track.audio) for its in tracks.values() for track in its]
    for place in (options.model or DEFAULT_MODEL, options.features):
        if place is not None:
            files += [str(p) for p in sorted([Path(place), *Path(place).glob("*")])]
    states: list[Any] = [(f, Path(f).stat().st_size, Path(f).stat().st_mtime_ns) for f in files]
    text = json.dumps([settings, {k: str(v) for k, v in tracks.items()}, states], default=str)
    return digest(text)
