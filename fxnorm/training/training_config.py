"""What a training run is made of, as the sections of params.yaml hold it."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from fxnorm.configuration import Config
from fxnorm.conventions import SAMPLE_RATE

#: Window lengths are cut to a multiple of this many samples, the released network's pooling size.
BLOCK = 64

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]
LossKind = Literal["stereo-a", "stereo-b", "time-l1"]
WidthMeasure = Literal["position", "power"]
_DecayRate = Annotated[float, Field(ge=0.0, lt=1.0)]


class SchedulePart(Config):
    """Some epochs at one factor of the learning rate."""

    epochs: int = Field(default=1, ge=1)
    """How many."""
    factor: float = Field(default=1.0, ge=0.0)
    """On the learning rate; 0 lets the optimiser's moments settle on the untrained network, as in
    the paper."""


class LossConfig(Config):
    """The loss that is trained on and selected by."""

    kind: LossKind = "stereo-b"
    """Stereo loss La or Lb of the paper, or mean absolute error of the samples (pretraining)."""
    guard_frames: int = Field(default=8, ge=0)
    """STFT frames left out at both ends by the stereo losses."""
    guard_samples: int = Field(default=4096, ge=0)
    """Samples left out at both ends by time-l1 in training; validation compares whole songs."""
    filters: tuple[Literal["a-weighting", "low-pass"], ...] = ("a-weighting", "low-pass")
    """Filters of the stereo losses, in order."""
    precision: Literal["single", "double"] = "single"
    """Precision of the stereo losses' filters and spectra; the paper's is double, several times as
    costly."""


class ValidationConfig(Config):
    """How songs are pushed through the network in windows, and how much of them."""

    every_epochs: int = Field(default=1, ge=1)
    """The last epoch is always validated."""
    window_s: float = Field(default=6.0, gt=0.0)
    """Length in seconds of the windows; the paper takes the training length."""
    guard_samples: int = Field(default=4096, ge=0)
    """Samples at both ends of every window that give no output."""
    max_song_s: float = Field(default=240.0, gt=0.0)
    """Only this much of every song, from its start, in seconds."""


class ProcessorConfig(Config):
    """One processor of an augmentation chain, set anew for every stem of every item."""

    processor: str = "Equaliser"
    """Name, as `fxnorm.effects.processors.build_chain` takes it: ours or pymixconsole's."""
    stems: tuple[str, ...] = ()
    """Stem types that it is for; none named: all."""
    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    """Chance that a stem goes through it."""
    ranges: dict[str, tuple[float, float]] = {}
    """Lowest and highest value by parameter, in its unit; the others keep their default."""

    @field_validator("ranges")
    @classmethod
    def _in_order(cls, ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in ranges.items():
            if low > high:
                raise ValueError(f"{name}: the lowest value {low:g} is above the highest {high:g}")
        return ranges


class AugmentationConfig(Config):
    """Random changes of the training examples; everything at its zero is off."""

    swap_channels: float = Field(default=0.5, ge=0.0, le=1.0)
    """Chance that left and right change places, in all inputs and the target together."""
    drop_stem: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance per stem of leaving it out of inputs and target; needs the songs' wet stems."""
    gain_db: float = Field(default=0.0, ge=0.0)
    """Every input stem's gain is drawn from ± this many dB."""
    flip_polarity: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance per input stem that its sign is changed."""
    width_db: float = Field(default=0.0, ge=0.0)
    """The difference of left and right of each input stem is changed by up to ± this many dB."""
    bleed_db: float | None = Field(default=None, le=0.0)
    """Each stem gets the sum of the others at this level down to 20 dB below it; null: none."""
    mono: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that a stem becomes what normalisation makes of a mono recording, spread to both sides
    in third octaves, as wide in each as it was."""
    chain: tuple[ProcessorConfig, ...] = ()
    """Processors that the input stems go through, in order."""


class TrainingConfig(Config):
    """Everything that decides the result of a training run, apart from network, data and seed."""

    batch_size: int = Field(default=2, ge=1)
    """Items per step, over all devices together."""
    sequence_s: float = Field(default=3.0, gt=0.0)
    """Length of an item in seconds, cut to a multiple of 64 samples."""
    steps_per_epoch: int = Field(default=100, ge=1)
    """Steps between two entries of the history; an epoch need not be one pass over the songs."""
    learning_rate: float = Field(default=1e-3, ge=0.0)
    """Adam's step size where nothing below lowers it."""
    schedule: tuple[SchedulePart, ...] = Field(default=(SchedulePart(epochs=10),), min_length=1)
    """Factors on the learning rate in all epochs, in order."""
    ramp_steps: int = Field(default=0, ge=0)
    """The learning rate rises linearly from 0 over so many steps."""
    decay: Literal["none", "linear", "cosine"] = "none"
    """How a factor on the learning rate falls from 1 over the whole run."""
    decay_to: float = Field(default=0.0, ge=0.0, le=1.0)
    """Where that factor ends."""
    betas: tuple[_DecayRate, _DecayRate] = (0.9, 0.999)
    """Adam's decay rates of the moments."""
    eps: float = Field(default=1e-8, gt=0.0)
    """Adam's least denominator."""
    amsgrad: bool = True
    """Divide by the largest second moment so far instead of the present one."""
    weight_decay: float = Field(default=1e-7, ge=0.0)
    """Coupled: added to the gradient as an L2 penalty."""
    clip_norm: float | None = Field(default=0.2, gt=0.0)
    """Largest L2 norm of the gradient over all weights; null for no limit."""
    precision: Precision = "32-true"
    """Precision of the network; losses are always computed in single precision or better."""
    loss: LossConfig = LossConfig()
    """What is minimised."""
    validation: ValidationConfig = ValidationConfig()
    """What the weights are selected by."""
    augmentation: AugmentationConfig = AugmentationConfig()
    """How the training examples are varied."""
    front_end: Literal["best", "last"] | None = "best"
    """State of the pretraining that the front end is taken from; null starts it afresh."""
    start: Literal["sum", "random"] = "sum"
    """What the untrained network does: add the stems, or what random weights do (the paper)."""
    calibrate_gain: bool = True
    """Scale the untrained network so that its mix is as loud as the target."""
    calibrate_width: WidthMeasure | None = None
    """Scale the side of the trained network until its mixes of the validation songs are as wide as
    the targets, by stereo position or by power (see `fxnorm.training.calibrate_width`)."""
    calibrate_mono: bool = False
    """Calibrate the width with the stems as if they had been recorded in mono, as most are: what
    normalisation makes of such a stem is narrower."""
    widen_db: float = Field(default=0.0, ge=-12.0, le=12.0)
    """By how much to raise the side beyond that, as songs outside the validation may ask for."""
    averaging: float = Field(default=0.95, ge=0.0, lt=1.0)
    """Decay per step of the moving average of the weights that is validated and kept, less in the
    first steps; 0 takes the weights as they are."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after so many validations without a better mean; null never stops early."""
    max_bad_steps_in_row: int = Field(default=50, ge=1)
    """Give up after so many steps in a row with a loss or gradient that is not finite."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sequence_samples < BLOCK:
            raise ValueError(f"sequence_s is shorter than {BLOCK} samples")
        if self.window_samples <= 2 * self.validation.guard_samples:
            raise ValueError("validation.guard_samples leaves nothing of validation.window_s")
        guarded = self.loss.kind == "time-l1"
        if guarded and self.sequence_samples <= 2 * self.loss.guard_samples:
            raise ValueError("loss.guard_samples leaves nothing of sequence_s")
        if self.widen_db and self.calibrate_width is None:
            raise ValueError("widen_db comes on top of calibrate_width, which is empty; set it")
        return self

    @property
    def sequence_samples(self) -> int:
        """Length of an item in samples."""
        return whole_blocks(self.sequence_s)

    @property
    def window_samples(self) -> int:
        """Length of a validation window in samples."""
        return whole_blocks(self.validation.window_s)

    @property
    def max_song_samples(self) -> int:
        """Longest stretch of a song that is validated, in samples."""
        return int(self.validation.max_song_s * SAMPLE_RATE)

    @property
    def epochs(self) -> int:
        """Epochs of the whole schedule."""
        return sum(part.epochs for part in self.schedule)

    @property
    def steps(self) -> int:
        """Steps of the whole schedule."""
        return self.epochs * self.steps_per_epoch


def whole_blocks(seconds: float) -> int:
    """`seconds` in samples at 44.1 kHz, cut to a multiple of `BLOCK`."""
    return int(seconds * SAMPLE_RATE) // BLOCK * BLOCK
