"""Studio processors with settings by name, and chains of them described by plain data.

The processors follow pymixconsole's protocol (`parameters` with ranges, `process(block)`,
`update()`, `reset()`, `randomize()`; Steinmetz, github.com/csteinmetz1/pymixconsole) and its names
and units of parameters, so that a chain may mix ours with theirs. Blocks may have any length:
state is kept from one to the next until `reset()`.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import scipy

from fxnorm.audio import from_db, to_stereo
from fxnorm.audio.filters import high_shelf, low_shelf, peaking
from fxnorm.effects.compressor import gain_reduction_db, level_db, smoothing
from fxnorm.errors import FxNormError

_CONSOLE_PREFIX = "pymixconsole."
_CONSOLE_BLOCK = 512


class Parameter:
    """A number with a range; setting `value` updates the processor it belongs to."""

    def __init__(
        self, name: str, value: float, minimum: float, maximum: float, units: str = ""
    ) -> None:
        self.name = name
        self.min = minimum
        self.max = maximum
        self.units = units
        self.processor: Processor | None = None
        self._default = value
        self._value = value

    def __repr__(self) -> str:
        return f"{self.name}={self._value:g} {self.units}".rstrip()

    @property
    def value(self) -> float:
        """The value in force, in `units`."""
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        if not self.min <= value <= self.max:
            raise FxNormError(
                f"parameter '{self.name}': {value:g} {self.units} is out of range; "
                f"give {self.min:g} to {self.max:g}"
            )
        self._value = float(value)
        if self.processor is not None:
            self.processor.update(self.name)

    def reset(self) -> None:
        """Back to the default."""
        self.value = self._default

    def randomize(self, generator: np.random.Generator) -> None:
        """Draw a value uniformly from the range."""
        self.value = generator.uniform(self.min, self.max)


class ParameterList:
    """Parameters as attributes; iterating gives (name, parameter)."""

    def __init__(self, *parameters: Parameter) -> None:
        for parameter in parameters:
            setattr(self, parameter.name, parameter)

    def __iter__(self) -> Iterator[tuple[str, Parameter]]:
        return iter(vars(self).items())

    def __getitem__(self, name: str) -> Parameter:
        parameter: Parameter = vars(self)[name]
        return parameter


class Processor(ABC):
    """Base of all processors: parameters, and a `process` that keeps its state between blocks."""

    def __init__(self, sample_rate: int, *parameters: Parameter) -> None:
        self.sample_rate = sample_rate
        self.parameters = ParameterList(*parameters)
        for _, parameter in self.parameters:
            parameter.processor = self
        self.update()
        self.reset()

    def process(self, block: np.ndarray) -> np.ndarray:
        """Process (samples, 2) float32, also of no length; returns a new array of that shape."""
        return self._process(block) if block.shape[0] else np.zeros((0, 2), np.float32)

    @abstractmethod
    def _process(self, block: np.ndarray) -> np.ndarray:
        """`process` of at least one sample."""

    def update(self, parameter_name: str | None = None) -> None:  # noqa: B027
        """Derive what depends on the parameters; called whenever one is set."""

    def reset(self) -> None:  # noqa: B027
        """Forget past blocks."""

    def randomize(self, generator: np.random.Generator) -> None:
        """Draw every parameter uniformly from its range."""
        for _, parameter in self.parameters:
            parameter.randomize(generator)

    def _value(self, name: str) -> float:
        return self.parameters[name].value


class Gain(Processor):
    """Level change: `gain` in dB."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate, Parameter("gain", 0.0, -80.0, 24.0, "dB"))

    def _process(self, block: np.ndarray) -> np.ndarray:
        return block * np.float32(from_db(self._value("gain")))


class Equaliser(Processor):
    """Five bands: low shelf, three bells (`first_band` to `third_band`), high shelf."""

    _state: np.ndarray

    def __init__(self, sample_rate: int) -> None:
        def band(name: str, frequency: float, low: float, high: float) -> list[Parameter]:
            return [
                Parameter(f"{name}_gain", 0.0, -24.0, 24.0, "dB"),
                Parameter(f"{name}_freq", frequency, low, high, "Hz"),
            ]

        def bell(name: str, frequency: float, low: float, high: float) -> list[Parameter]:
            return [*band(name, frequency, low, high), Parameter(f"{name}_q", 0.7, 0.1, 10.0)]

        super().__init__(
            sample_rate,
            *band("low_shelf", 80.0, 20.0, 1000.0),
            *bell("first_band", 400.0, 100.0, 5000.0),
            *bell("second_band", 1000.0, 300.0, 6000.0),
            *bell("third_band", 5000.0, 1000.0, 10_000.0),
            *band("high_shelf", 10_000.0, 3000.0, 20_000.0),
        )

    def _process(self, block: np.ndarray) -> np.ndarray:
        filtered: np.ndarray
        filtered, self._state = scipy.signal.sosfilt(
            self._sections, np.asarray(block, np.float64), axis=0, zi=self._state
        )
        return filtered.astype(np.float32)

    def update(self, parameter_name: str | None = None) -> None:
        def shelf(name: str) -> tuple[float, float, int]:
            return self._value(f"{name}_freq"), self._value(f"{name}_gain"), self.sample_rate

        bells = [
            peaking(*shelf(name), self._value(f"{name}_q"))
            for name in ("first_band", "second_band", "third_band")
        ]
        self._sections = np.concatenate(
            [low_shelf(*shelf("low_shelf")), *bells, high_shelf(*shelf("high_shelf"))]
        )

    def reset(self) -> None:
        self._state = np.zeros((5, 2, 2))


class Compressor(Processor):
    """Feed-forward compressor; one gain for both channels, from the louder one."""

    _reduction_db: float

    def __init__(self, sample_rate: int) -> None:
        super().__init__(
            sample_rate,
            Parameter("threshold", 0.0, -80.0, 0.0, "dB"),
            Parameter("attack_time", 10.0, 0.001, 500.0, "ms"),
            Parameter("release_time", 100.0, 0.001, 4000.0, "ms"),
            Parameter("ratio", 2.0, 1.0, 100.0),
            Parameter("makeup_gain", 0.0, -12.0, 24.0, "dB"),
        )

    def _process(self, block: np.ndarray) -> np.ndarray:
        reduction_db = gain_reduction_db(
            level_db(np.maximum(np.abs(block[:, 0]), np.abs(block[:, 1]))),
            self._value("threshold"),
            self._value("ratio"),
            smoothing(self._value("attack_time"), self.sample_rate),
            smoothing(self._value("release_time"), self.sample_rate),
            initial_db=self._reduction_db,
        )
        self._reduction_db = float(reduction_db[-1])
        gain = from_db(self._value("makeup_gain") - reduction_db)
        compressed: np.ndarray = block * gain[:, None]
        return compressed.astype(np.float32)

    def reset(self) -> None:
        self._reduction_db = 0.0


class Panner(Processor):
    """Balance of a stereo signal: `pan` 0 = left, 0.5 = as it is, 1 = right (constant power)."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate, Parameter("pan", 0.5, 0.0, 1.0))

    def _process(self, block: np.ndarray) -> np.ndarray:
        angle = self._value("pan") * np.pi / 2.0
        gains = np.sqrt(2.0) * np.array([np.cos(angle), np.sin(angle)], np.float32)
        panned: np.ndarray = block * gains
        return panned.astype(np.float32)


class StereoWidth(Processor):
    """Level of the side signal: `width` 0 = mono, 1 = as it is, 2 = twice the side's amplitude."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate, Parameter("width", 1.0, 0.0, 2.0))

    def _process(self, block: np.ndarray) -> np.ndarray:
        middle = block.mean(axis=1, keepdims=True)
        changed: np.ndarray = middle + np.float32(self._value("width")) * (block - middle)
        return changed


class Reverb(Processor):
    """Convolution reverb: `dry_mix` times the signal plus `wet_mix` times the room's answer.

    Args:
        sample_rate: in Hz.
        impulse_response: (samples, 1 or 2) at `sample_rate`; what precedes its peak is dropped,
            so the answer starts with the signal and `pre_delay` alone holds it back.
    """

    _tail: np.ndarray

    def __init__(self, sample_rate: int, impulse_response: np.ndarray) -> None:
        response = to_stereo(np.asarray(impulse_response, np.float32))
        self._response = response[int(np.abs(response).max(axis=1).argmax()) :]
        super().__init__(
            sample_rate,
            Parameter("pre_delay", 0.0, 0.0, 200.0, "ms"),
            Parameter("wet_mix", 0.1, 0.0, 1.0),
            Parameter("dry_mix", 1.0, 0.0, 1.0),
        )

    def _process(self, block: np.ndarray) -> np.ndarray:
        wet = scipy.signal.oaconvolve(block, self._delayed, axes=0)
        wet[: self._tail.shape[0]] += self._tail
        answer, self._tail = wet[: block.shape[0]], wet[block.shape[0] :]
        mixed: np.ndarray = self._value("dry_mix") * block + self._value("wet_mix") * answer
        return mixed.astype(np.float32)

    def update(self, parameter_name: str | None = None) -> None:
        if parameter_name in (None, "pre_delay"):
            delay = round(self._value("pre_delay") * 1e-3 * self.sample_rate)
            self._delayed = np.pad(self._response, [(delay, 0), (0, 0)])
            self.reset()

    def reset(self) -> None:
        self._tail = np.zeros((self._delayed.shape[0] - 1, 2), np.float32)


class _Steps(Protocol):
    """What a chain asks of a processor, ours or pymixconsole's."""

    parameters: Any

    def process(self, block: np.ndarray) -> np.ndarray: ...


class _BlockWise(Processor):
    """A pymixconsole processor, fed blocks of the one length it works with."""

    def __init__(self, sample_rate: int, inner: _Steps) -> None:
        self._inner = inner
        super().__init__(sample_rate)
        self.parameters = inner.parameters

    def _process(self, block: np.ndarray) -> np.ndarray:
        missing = -block.shape[0] % _CONSOLE_BLOCK
        padded = np.pad(np.asarray(block, np.float32), [(0, missing), (0, 0)])
        parts = [
            # pymixconsole's processors may work in place and may return mono.
            to_stereo(np.asarray(self._inner.process(part.copy()), np.float32))
            for part in padded.reshape(-1, _CONSOLE_BLOCK, 2)
        ]
        return np.concatenate(parts)[: block.shape[0]]

    def randomize(self, generator: np.random.Generator) -> None:
        """Draw every parameter with a range uniformly; the others keep their value."""
        for _, parameter in self.parameters:
            if getattr(parameter, "kind", "") == "float":
                parameter.value = generator.uniform(parameter.min, parameter.max)


#: Processors that a chain can name (Reverb takes impulse responses by name as well).
PROCESSORS = {
    kind.__name__: kind for kind in (Gain, Equaliser, Compressor, Panner, StereoWidth, Reverb)
}


class Chain:
    """Processors in series."""

    def __init__(self, processors: Sequence[Processor]) -> None:
        self.processors = tuple(processors)

    def process(self, audio: np.ndarray) -> np.ndarray:
        """Process mono or stereo, also of no length; returns (samples, 2) float32."""
        audio = to_stereo(np.asarray(audio, np.float32))
        for processor in self.processors:
            audio = processor.process(audio)
        return audio

    def reset(self) -> None:
        """Forget past blocks."""
        for processor in self.processors:
            processor.reset()

    def randomize(self, generator: np.random.Generator) -> None:
        """Draw all parameters uniformly from their ranges."""
        for processor in self.processors:
            processor.randomize(generator)


def build_chain(
    steps: Sequence[Mapping[str, Any]],
    sample_rate: int,
    impulse_responses: Mapping[str, np.ndarray] | None = None,
) -> Chain:
    """Build a chain from plain data, as it stands in params.yaml.

    Args:
        steps: one mapping per processor: `processor` names one of ours (`PROCESSORS`) or
            `pymixconsole.<Processor>`; all other keys are its parameters. `Reverb` also takes
            `impulse_response`, a key of `impulse_responses`.
        sample_rate: in Hz.
        impulse_responses: what `Reverb` can use, by name, at `sample_rate`.

    Raises:
        FxNormError: an unknown processor, parameter or impulse response, a value out of range, or
            a pymixconsole processor without that package.
    """
    return Chain([_build_processor(step, sample_rate, impulse_responses or {}) for step in steps])


def _build_processor(
    step: Mapping[str, Any], sample_rate: int, responses: Mapping[str, np.ndarray]
) -> Processor:
    settings = dict(step)
    name = settings.pop("processor", None)
    if not isinstance(name, str):
        raise FxNormError(f"chain step {dict(step)}: add the key 'processor'")
    processor: Processor
    if name.startswith(_CONSOLE_PREFIX):
        processor = _console_processor(name.removeprefix(_CONSOLE_PREFIX), sample_rate)
    elif name == Reverb.__name__:
        processor = Reverb(sample_rate, _response(settings, responses))
    elif name in PROCESSORS:
        processor = PROCESSORS[name](sample_rate)  # type: ignore[call-arg]
    else:
        known = ", ".join([*PROCESSORS, f"{_CONSOLE_PREFIX}<Processor>"])
        raise FxNormError(f"chain: unknown processor '{name}'; use one of {known}")
    _set_parameters(processor, name, settings)
    return processor


def _response(settings: dict[str, Any], responses: Mapping[str, np.ndarray]) -> np.ndarray:
    name = settings.pop("impulse_response", None)
    if name not in responses:
        known = ", ".join(responses) or "(none given)"
        raise FxNormError(f"chain: Reverb: unknown impulse_response {name!r}; use one of {known}")
    return responses[name]


def _set_parameters(processor: Processor, name: str, settings: Mapping[str, Any]) -> None:
    parameters = dict(processor.parameters)
    for key, value in settings.items():
        if key not in parameters:
            raise FxNormError(
                f"chain: {name} has no parameter '{key}'; use one of {', '.join(parameters)}"
            )
        try:
            parameters[key].value = value
        except (TypeError, ValueError) as error:
            raise FxNormError(f"chain: {name}: parameter '{key}': {error}") from error


def _console_processor(name: str, sample_rate: int) -> Processor:
    try:
        available = importlib.import_module("pymixconsole.processors")
    except ImportError as error:
        raise FxNormError(
            f"chain: {_CONSOLE_PREFIX}{name} needs pymixconsole: pip install 'fxnorm[console]'"
        ) from error
    kind = getattr(available, name, None)
    if not isinstance(kind, type):
        raise FxNormError(f"chain: pymixconsole has no processor '{name}'")
    return _BlockWise(sample_rate, kind(block_size=_CONSOLE_BLOCK, sample_rate=sample_rate))
