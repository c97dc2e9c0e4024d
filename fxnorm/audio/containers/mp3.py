"""Frames of mp3 files, counted: without a count in the file libsndfile estimates its length."""

from dataclasses import dataclass

from fxnorm.audio.containers.links import Bytes, Damaged, Found, Link, Piece, chained, damaged_at

#: kbit/s by index, for MPEG 1 and for MPEG 2 and 2.5, of layers I, II, III.
_BIT_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
#: Hz by index, and how often it is halved by version: MPEG 2.5, none, 2, 1.
_RATES = (44_100, 48_000, 32_000)
_HALVED = (2, None, 1, 0)
_COUNT = 8  # Where the count of frames lies in the header "Xing" or "Info".
_HAS_COUNT = 1
_OTHER_COUNT = 36  # Where that of Fraunhofer's encoders begins in its frame; it is not used.
#: Where the lengths of the edges lie in the part that LAME adds, and the decoder's own delay.
_EDGES = 21
_DECODER_DELAY = 529
#: That of nearly all encoders.
_ENCODER_DELAY = 576
#: What lies between the count and that part, by the bits that say it is there.
_FIELDS = ((1, 4), (2, 4), (4, 100), (8, 4))


@dataclass(frozen=True)
class _Frame:
    """A frame of audio, or the one before it that holds a count."""

    start: int
    """Its first byte."""
    stop: int
    """Behind its last byte."""
    format: tuple[int, int, int, bool]
    """What frames of one recording share: version, layer, sample rate, mono or not."""
    header: int | None
    """Where "Xing", "Info" or "VBRI" begins in it; None in a frame of audio."""


def mp3_links(data: Bytes) -> Found:
    """The recordings of a file, each with the number of its frames in front of it.

    So that libsndfile reads all of them. Files of layers I and II are left to ffmpeg: libsndfile
    estimates their length, whatever stands in front.

    Args:
        data: the file.

    Raises:
        Damaged: bytes between frames that are neither audio nor tags, fewer frames than the file
            says, or recordings of different formats.
    """
    recordings: list[list[_Frame]] = []
    at, notes = _first_frame(data), list[str]()
    while (at := _behind_tags(data, at)) < len(data):
        frame = _frame(data, at)
        if frame is None:
            if _next_frame(data, at) is None:
                break
            raise damaged_at(at, data)
        if frame.stop > len(data):
            notes.append("its last frame is cut off, and more may be missing")
            break
        if frame.header is not None or not recordings:
            recordings.append([])
        recordings[-1].append(frame)
        at = frame.stop
    if not recordings:
        return Found(by_ffmpeg=True)
    if len({frame.format for recording in recordings for frame in recording}) > 1:
        raise Damaged("holds recordings of different formats")
    notes = chained(len(recordings)) + notes
    if recordings[0][0].format[1] != 3:
        return Found(notes=tuple(notes), by_ffmpeg=True)
    said = [_said(data, recording) for recording in recordings]
    # One more is that of encoders that count otherwise.
    if any(count and len(its) > count + 2 for count, its in zip(said, recordings, strict=True)):
        notes.append("holds more than its header says, as joined files do; all of it is read")
    if said == [len(recordings[0]) - 1]:
        links: tuple[Link, ...] = ()
    else:
        links = tuple(_link(data, recording) for recording in recordings)
    return Found(links, tuple(notes), late=_late(data, recordings[0]))


def _link(data: Bytes, frames: list[_Frame]) -> Link:
    """A recording with its true number of frames at the front.

    Raises:
        Damaged: there are fewer than it says.
    """
    said = _said(data, frames)
    audio = [frame for frame in frames if frame.header is None]
    # Some encoders count the frame that holds the count.
    if said is not None and said > len(audio) + 1:
        raise Damaged(f"ends early, with {len(audio)} of {said} frames")
    first = frames[0]
    if first.header is None or said is None:
        front = _counting(data[first.start : first.start + 4], len(audio))
    else:
        count = first.header + _COUNT
        front = data[first.start : count] + len(audio).to_bytes(4, "big")
        front += data[count + 4 : first.stop]
    pieces: list[Piece] = [front]
    for frame in audio:
        last = pieces[-1]
        if isinstance(last, range) and last.stop == frame.start:
            pieces[-1] = range(last.start, frame.stop)
        else:
            pieces.append(range(frame.start, frame.stop))
    return tuple(pieces)


def _counting(head: bytes, count: int) -> bytes:
    """Frames to be put before others, that change nothing but the number that is known.

    A decoder that knows the number leaves out what decoding and encoding add at the front. A silent
    frame stands there to be left out, so that all the others are heard.

    Args:
        head: the first bytes of one of the others.
        count: their number.
    """
    largest, smallest = (_without_audio(head, bits) for bits in (14, 1))
    samples = 576 if head[1] >> 3 & 3 != 3 else 1152
    edges = (samples - _DECODER_DELAY) << 12 | _DECODER_DELAY
    header = b"Info" + _HAS_COUNT.to_bytes(4, "big") + (count + 1).to_bytes(4, "big")
    header += b"LAME".ljust(_EDGES, b"\0") + edges.to_bytes(3, "big")
    at = _header_at(head)
    return largest[:at] + header + largest[at + len(header) :] + smallest


def _without_audio(head: bytes, bits: int) -> bytes:
    """A silent frame without a checksum, of the bit rate with an index."""
    head = bytes((head[0], head[1] | 1, bits << 4 | head[2] & 0x0C, head[3]))
    frame = _frame(head, 0)
    return head.ljust(frame.stop if frame else 4, b"\0")


def _said(data: Bytes, frames: list[_Frame]) -> int | None:
    """How many frames a recording says it has."""
    header = frames[0].header
    if header is None or data[header] == ord("V") or not data[header + 7] & _HAS_COUNT:
        return None
    return int.from_bytes(data[header + _COUNT : header + _COUNT + 4], "big")


def _late(data: Bytes, frames: list[_Frame]) -> int:
    """How many samples are heard before a recording begins."""
    header = frames[0].header
    if header is None or _said(data, frames) is None:
        return _DECODER_DELAY + _ENCODER_DELAY
    at = header + _COUNT + sum(size for bit, size in _FIELDS if data[header + 7] & bit)
    edges = int.from_bytes(data[at + _EDGES : at + _EDGES + 3], "big")
    # Without a name the rest is not looked at.
    tagged = at + _EDGES + 3 <= frames[0].stop and data[at] and edges >> 12
    # Where there is a count, a decoder leaves out its own delay.
    return 0 if tagged else _ENCODER_DELAY


def _frame(data: Bytes, at: int) -> _Frame | None:
    """The frame that begins at a byte; None where none does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    halved = _HALVED[version]
    if halved is None or layer == 4 or rate == 3 or bits in (0, 15):
        return None
    rate_hz = _RATES[rate] >> halved
    bit_rate = 1000 * _BIT_RATES[1 if halved == 0 else 2, layer][bits]
    padding = head[2] >> 1 & 1
    if layer == 1:
        size = 4 * (12 * bit_rate // rate_hz + padding)
    else:
        size = (72 if layer == 3 and halved else 144) * bit_rate // rate_hz + padding
    header = at + _header_at(head)
    if data[at + _OTHER_COUNT : at + _OTHER_COUNT + 4] == b"VBRI":
        header = at + _OTHER_COUNT
    named = layer == 3 and data[header : header + 4] in (b"Xing", b"Info", b"VBRI")
    form = (version, layer, rate_hz, head[3] >> 6 == 3)
    return _Frame(at, at + size, form, header if named else None)


def _header_at(frame: Bytes) -> int:
    """Where a header would lie: behind what says how a frame is decoded."""
    mono = frame[3] >> 6 == 3
    if frame[1] >> 3 & 3 == 3:
        return 4 + (17 if mono else 32)
    return 4 + (9 if mono else 17)


def _first_frame(data: Bytes) -> int:
    """Where the audio begins, behind tags and what else may lie before it."""
    at = _behind_tags(data, 0)
    return at if _frame(data, at) is not None else _next_frame(data, at) or len(data)


def _next_frame(data: Bytes, at: int) -> int | None:
    """The next byte at which a frame begins that another one follows."""
    while (at := data.find(b"\xff", at + 1)) >= 0:
        frame = _frame(data, at)
        if frame and _frame(data, frame.stop):
            return at
    return None


def _behind_tags(data: Bytes, at: int) -> int:
    while True:
        mark = data[at : at + 8]
        if mark[:3] == b"ID3":
            size = 0
            for byte in data[at + 6 : at + 10]:
                size = size << 7 | byte & 127
            at += 10 + size
        elif mark[:3] == b"TAG":
            at += 128
        elif mark == b"APETAGEX":
            at += 32 + int.from_bytes(data[at + 12 : at + 16], "little")
        else:
            return at
