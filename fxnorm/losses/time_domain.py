"""The pretraining loss."""

from torch import Tensor, nn

from fxnorm.errors import FxNormError


class TimeL1(nn.Module):
    """Mean absolute difference of samples.

    Args:
        guard_samples: samples left out at both ends.
    """

    def __init__(self, guard_samples: int = 0) -> None:
        super().__init__()
        self.guard_samples = guard_samples

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of two tensors of the same shape (..., T): a scalar.

        Raises:
            FxNormError: different shapes, or nothing left between the guards.
        """
        kept = output.shape[-1] - 2 * self.guard_samples
        if output.shape != target.shape or kept < 1:
            raise FxNormError(
                f"loss: output {tuple(output.shape)} and target {tuple(target.shape)} must have "
                f"one shape and more than 2 * {self.guard_samples} samples"
            )
        return (output - target).narrow(-1, self.guard_samples, kept).abs().mean()
