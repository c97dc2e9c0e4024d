"""Random changes of training examples that keep the task: inputs and target change together."""

from collections.abc import Sequence

import numpy as np

from fxnorm.audio import from_db
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.effects.processors import Chain, build_chain
from fxnorm.errors import FxNormError
from fxnorm.training.training_config import AugmentationConfig, ProcessorConfig
from fxnorm.training.training_songs import OpenSong, Piece

_BLEED_RANGE_DB = 20.0
#: Where the third octaves begin that mono leans to alternate sides in.
_SPREAD_FROM_HZ = 86.0
#: Normalisation makes mono this much narrower than stereo with the same similarity of channels, of
#: which the part that is out of phase adds to the side (generated stems: 1.7 to 2.9 dB by type).
_SPREAD_DB = -2.4


class Augmentation:
    """Augments one piece of a song after another, each with its own generator.

    Args:
        config: what to change and how often.
        songs: checked for what the configuration needs of them.

    Raises:
        FxNormError: stems are to be left out but a song lacks wet stems, or a processor of the
            chain is unknown, has no such parameter, or is for a stem type that the songs lack.
    """

    def __init__(self, config: AugmentationConfig, songs: Sequence[OpenSong]) -> None:
        self._config = config
        self._stems = tuple(songs[0].song.inputs)
        check_chain(config.chain, self._stems)
        if self.needs_wet:
            for entry in songs:
                if entry.song.target is not None and entry.song.wet is None:
                    raise FxNormError(
                        f"{entry.song.name}: has no wet stems, which augmentation.drop_stem needs; "
                        "give them or set drop_stem to 0"
                    )

    @property
    def needs_wet(self) -> bool:
        """Whether pieces must bring the wet stems."""
        return self._config.drop_stem > 0.0

    def __call__(self, piece: Piece, draws: np.random.Generator) -> Piece:
        """The augmented piece; the one given is left as it is."""
        inputs, target = piece.inputs, piece.target
        if self._config.drop_stem:
            inputs, target = self._drop_stems(piece, draws)
        inputs = self._process(inputs, draws)
        if self._config.mono:
            chosen = draws.random(len(inputs)) < self._config.mono
            pairs = zip(inputs, chosen, strict=True)
            inputs = np.stack([spread(stem) if mono else stem for stem, mono in pairs])
        if self._config.width_db:
            inputs = _widened(inputs, draws.uniform(-1.0, 1.0, len(inputs)) * self._config.width_db)
        if self._config.bleed_db is not None:
            inputs = self._bleed(inputs, self._config.bleed_db, draws)
        if self._config.gain_db or self._config.flip_polarity:
            inputs = inputs * self._gains(inputs.shape[0], draws)
        if draws.random() < self._config.swap_channels:
            inputs = inputs[..., ::-1]
            target = None if target is None else target[..., ::-1]
        return Piece(inputs, target)

    def _drop_stems(
        self, piece: Piece, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Silence some stems, never all, and make the target the sum of the others, wet."""
        stems = piece.inputs.shape[0]
        kept = np.asarray(draws.random(stems) >= self._config.drop_stem)
        if not kept.any():
            kept[draws.integers(stems)] = True
        if kept.all():
            return piece.inputs, piece.target
        inputs = piece.inputs * kept[:, None, None].astype(np.float32)
        return inputs, None if piece.wet is None else piece.wet[kept].sum(axis=0)

    def _process(self, inputs: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        if not self._config.chain:
            return inputs
        pairs = zip(self._stems, inputs, strict=True)
        return np.stack([self._process_stem(name, stem, draws) for name, stem in pairs])

    def _process_stem(self, name: str, stem: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        for step in self._config.chain:
            if step.stems and name not in step.stems:
                continue
            values = {name: draws.uniform(*limits) for name, limits in step.ranges.items()}
            if draws.random() < step.probability:
                stem = _build_step(step, values).process(stem)
        return stem

    def _bleed(self, inputs: np.ndarray, most_db: float, draws: np.random.Generator) -> np.ndarray:
        """Let every stem be heard, softly, in all others."""
        level = from_db(draws.uniform(most_db - _BLEED_RANGE_DB, most_db, inputs.shape[0]))
        others = inputs.sum(axis=0) - inputs
        mixed: np.ndarray = inputs + others * level.astype(np.float32)[:, None, None]
        return mixed

    def _gains(self, stems: int, draws: np.random.Generator) -> np.ndarray:
        gain = from_db(draws.uniform(-self._config.gain_db, self._config.gain_db, stems))
        sign = np.where(draws.random(stems) < self._config.flip_polarity, -1.0, 1.0)
        factors: np.ndarray = (gain * sign).astype(np.float32)
        return factors[:, None, None]


def spread(stem: np.ndarray) -> np.ndarray:
    """A normalised stem as if it had been recorded in mono, see `match_panning`.

    Args:
        stem: (samples, 2).

    Returns:
        (samples, 2) float32 whose third octaves lean to alternate sides, the further the stronger
        the side signal was there; the middle is the same.
    """
    middle, side = (
        np.fft.rfft(0.5 * (stem[:, 0] + sign * stem[:, 1])).astype(np.complex128)
        for sign in (1, -1)
    )
    octaves = np.log2(np.fft.rfftfreq(len(stem), 1.0 / SAMPLE_RATE)[1:] / _SPREAD_FROM_HZ)
    # Band 0 is what lies below the third octaves.
    band = np.append(0, np.maximum(np.floor(3.0 * octaves) + 1.0, 0.0).astype(int))
    powers = (np.bincount(band, np.abs(spectrum) ** 2) for spectrum in (side, middle))
    gain = np.sqrt(np.minimum(np.divide(*(power + 1e-20 for power in powers)), 1.0))
    gain *= from_db(_SPREAD_DB) * (-1.0) ** np.arange(len(gain))
    gain[0] = 0.0
    leaning = np.fft.irfft(gain[band] * middle, len(stem))
    centre = 0.5 * (stem[:, 0] + stem[:, 1])
    return np.stack([centre + leaning, centre - leaning], axis=1).astype(np.float32)


def check_chain(chain: Sequence[ProcessorConfig], stems: Sequence[str]) -> None:
    """See that the chain can be built at both ends of its ranges, for stem types that exist.

    Raises:
        FxNormError: it can't; names the parameter or the stem type.
    """
    for step in chain:
        for stem in step.stems:
            if stem not in stems:
                raise FxNormError(
                    f"augmentation.chain: stems: there is no '{stem}'; choose from "
                    f"{', '.join(stems)}"
                )
        for bound in (0, 1):
            _build_step(step, {name: limits[bound] for name, limits in step.ranges.items()})


def _widened(inputs: np.ndarray, side_db: np.ndarray) -> np.ndarray:
    """(stems, samples, 2) with the difference of the channels of each stem changed in level."""
    side = 0.5 * (inputs[..., 0] - inputs[..., 1])
    change = side * (from_db(side_db).astype(np.float32)[:, None] - 1.0)
    widened: np.ndarray = inputs + np.stack([change, -change], axis=-1)
    return widened


def _build_step(step: ProcessorConfig, values: dict[str, float]) -> Chain:
    return build_chain([{"processor": step.processor, **values}], SAMPLE_RATE)
