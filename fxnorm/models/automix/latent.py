"""Gate and recurrence of the FxNorm-Automix network: squeeze-excitation, bidirectional LSTM."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fxnorm import scratch

#: Frames that a song's LSTM works on at once where no gradient is needed.
_LSTM_FRAMES = 2**14
#: Longest memory, in frames, that the LSTM's forget biases start with.
_CHRONO_FRAMES = 32


class SqueezeExcitation(nn.Module):
    """One gate per filter from the mean magnitudes of all filters.

    Args:
        filters: number of filters.
        ratio: hidden units per filter.
    """

    def __init__(self, filters: int, ratio: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(filters, filters * ratio),
            nn.ReLU(),
            nn.Linear(filters * ratio, filters),
            nn.Sigmoid(),
        )

    def forward(self, mean_magnitude: Tensor) -> Tensor:
        """(B, filters) to gates (B, filters)."""
        gates: Tensor = self.net(mean_magnitude)
        return gates


def run_lstm(lstm: nn.LSTM, x: Tensor) -> Tensor:
    """A batch-first bidirectional LSTM, in little memory where no gradient is needed.

    A long song goes through layer by layer, one direction after the other, some frames at a time:
    the same result for a fraction of what torch allocates.

    Args:
        lstm: without projections.
        x: (B, F, inputs).

    Returns:
        (B, F, 2 * hidden).
    """
    if torch.is_grad_enabled() or x.shape[1] <= _LSTM_FRAMES:
        output: Tensor = lstm(x)[0]
        return output
    for layer in range(lstm.num_layers):
        forward, backward = lstm.all_weights[2 * layer : 2 * layer + 2]
        shape = *x.shape[:2], 2 * lstm.hidden_size
        in_memory = x.device.type != "cpu" or x.dtype != torch.float32
        out = x.new_empty(shape) if in_memory else torch.from_numpy(scratch.empty(shape))
        parts = list(
            zip(*(torch.split(signal, _LSTM_FRAMES, 1) for signal in (x, out)), strict=True)
        )
        initial: tuple[Tensor, ...] = 2 * (x.new_zeros(1, x.shape[0], lstm.hidden_size),)
        state = initial
        for given, made in parts:
            made[..., : lstm.hidden_size], state = _run_layer(given, state, forward)
        state = initial
        for given, made in reversed(parts):
            hidden, state = _run_layer(given.flip(1), state, backward)
            made[..., lstm.hidden_size :] = hidden.flip(1)
        x = out
    return x


def _run_layer(
    x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One direction of one layer on (B, F, inputs), and the state after it."""
    hidden, *after = torch.lstm(
        x,
        state,
        list(weights),
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=False,
        bidirectional=False,
        batch_first=True,
    )
    return hidden, tuple(after)


def reset_lstm_biases(lstm: nn.LSTM) -> None:
    """Chrono initialisation (Tallec and Ollivier, 2018) of every bias vector, in place.

    Forget gates get ln(U), U uniform in [1, 31], input gates the negative of that, others 0.
    Draws from torch's global generator.
    """
    hidden = lstm.hidden_size
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            # Without memory there is nothing to draw, and torch would load its compiler for that.
            if not name.startswith("bias") or bias.is_meta:
                continue
            forget = torch.empty(hidden).uniform_(1.0, _CHRONO_FRAMES - 1.0).log_()
            bias.zero_()
            bias[:hidden] = -forget
            bias[hidden : 2 * hidden] = forget
