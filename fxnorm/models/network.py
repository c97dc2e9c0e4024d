"""What training and mixing ask of a network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

from fxnorm.errors import FxNormError


class Network(nn.Module):
    """Normalised stems (B, S, C, T) to a mix (B, C, T - trim).

    A network that can't do what a setting of the training asks for says which setting to change.
    """

    pretraining = False
    """Whether it rebuilds the stems, to train a front end, instead of mixing them."""

    @property
    def trim(self) -> int:
        """Samples by which the output is shorter than the input."""
        return 0

    @property
    def output_offset(self) -> int:
        """Input sample that output sample 0 belongs to."""
        return 0

    def unbounded(self, x: Tensor) -> Tensor:
        """The mix before it is brought within [-1, 1]."""
        mix: Tensor = self(x)
        return mix

    def start_as_sum(self) -> None:
        """Make the untrained network's mix the sum of the stems, in place.

        Training then begins at the baseline instead of where chance has put it.
        """
        raise self._unable("start", "can't start as the sum; set it to random")

    def scale_mix(self, factor: float) -> None:
        """Scale the unbounded mix, in place, about by `factor`."""
        raise self._unable("calibrate_gain", "has no gain to set; set it to false")

    def widen(self, side_db: float) -> None:
        """Raise the difference of the mix's two channels, in place, about by `side_db`."""
        raise self._unable("calibrate_width", "has no width to set; leave it empty")

    def set_front_end(self, front_end: Mapping[str, Tensor]) -> None:
        """Copy the front end from the weights of a pretrained network, and nothing else."""
        raise self._unable("front_end", "takes no pretrained front end; leave it empty")

    def _unable(self, setting: str, reason: str) -> FxNormError:
        return FxNormError(f"training.{setting}: {type(self).__name__} {reason}")


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode inside this context; the network's own mode after it."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)
