"""A start for the mixing network: the sum of its stems.

The tied decoder makes a mix of what passes the front end's filters. Where the squared magnitudes of
some filters add up to one, it gives their input back, with no delay. So the filters start as such a
bank of bands for the sum and for the difference of the channels of each stem: a mixing console,
whose faders the latent network moves by filter and frame. It begins with all of them alike.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from fxnorm.conventions import SAMPLE_RATE
from fxnorm.errors import FxNormError

if TYPE_CHECKING:
    from fxnorm.models.automix.automix_net import AutomixNet

#: What is left of the random weights of filters that the bank has no use for.
_SPARE = 1e-3
#: Frequencies per tap on which the bands are designed.
_OVERSAMPLING = 16
#: Rounds of truncating the filters and making their squared magnitudes add up to one again.
_REFINEMENTS = 50


@torch.no_grad()
def start_as_sum(net: "AutomixNet") -> None:
    """Make the untrained network's mix, before its tanh, the sum of the stems, to about 0.1 %.

    The envelope filters become smoothing windows. The last layer of the LSTM and the gates start
    with the same constant for every filter; all weights get gradients nevertheless.

    Args:
        net: changed in place.

    Raises:
        FxNormError: fewer filters than stems times channels.
    """
    rows = net.stems * net.channels
    filters, _, taps = net.conv_1.weight.shape
    if filters < rows:
        raise FxNormError(
            f"training.start: the sum of {net.stems} stems needs at least {rows} filters, the "
            f"network has {filters}; raise network.filters or set start to random"
        )
    bands = band_filters(filters // rows, taps)
    mix = np.kron(np.eye(net.stems), _sums_and_differences(net.channels))
    bank = torch.from_numpy(np.einsum("bk,fc->bfck", bands, mix).reshape(-1, rows, taps))
    net.conv_1.weight.mul_(_SPARE)
    net.conv_1.weight[: len(bank)] = bank
    window = torch.hann_window(2 * taps, periodic=False)
    net.weight_2[:] = window / window.sum()

    units, last = net.blstm.hidden_size, net.blstm.num_layers - 1
    for name, weights in net.blstm.named_parameters():
        if f"_l{last}" in name:
            weights[2 * units : 3 * units] = 0.0  # What its cells take in: they stay at 0.
    for name in ("weight", "bias"):
        net.get_parameter(f"se_block.net.2.{name}").zero_()
    level = torch.sigmoid(torch.zeros(())) * F.softplus(torch.zeros(()))
    net.conv_1.weight.div_(level.sqrt())


def band_filters(count: int, taps: int) -> np.ndarray:
    """Filters that share the audible range, and whose squared magnitudes add up to one.

    Neighbours cross over at -3 dB. Bands are equally wide where the filters resolve no less, and
    equally wide in octaves above.

    Args:
        count: of the bands.
        taps: length of the filters.

    Returns:
        (count, taps), at 44.1 kHz, lowest band first.
    """
    n_fft = _OVERSAMPLING * taps
    frequency = np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE)
    resolution = 2.0 * SAMPLE_RATE / taps
    place = np.log1p(frequency / resolution)
    centre = np.clip(place / place[-1] * count - 0.5, 0.0, count - 1.0)
    distance = np.abs(centre - np.arange(count)[:, None]).clip(max=1.0)
    spectra: np.ndarray = np.cos(0.5 * np.pi * distance)
    filters = np.zeros((count, taps))
    for _ in range(_REFINEMENTS):
        spectra = spectra / np.sqrt((np.abs(spectra) ** 2).sum(axis=0))
        impulses = np.roll(np.fft.irfft(spectra, n_fft), (taps - 1) // 2, axis=-1)
        filters = impulses[:, :taps]
        padded = np.pad(filters, [(0, 0), (0, n_fft - taps)])
        spectra = np.fft.rfft(np.roll(padded, -((taps - 1) // 2), axis=-1))
    return filters


def _sums_and_differences(channels: int) -> np.ndarray:
    """Orthonormal combinations of channels, (combinations, channels)."""
    if channels == 2:
        combinations: np.ndarray = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2.0)
        return combinations
    return np.eye(channels)
