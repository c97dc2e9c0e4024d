"""Time and memory of the networks against a plain transcription, one thread, one process per case.

    python -m benchmarks.models            10 s of audio, and a training step of a small network
    python -m benchmarks.models --long     60 s too, and 10 minutes streamed

Times are processor seconds, the better of two runs; memory is the process's
peak less what it held before. The outputs are compared as well. Beside the paper's network stands
how long its multiply-adds take at the rate of this core's matrix products.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.plain_automix import plain_forward, plain_loss_b
from fxnorm.conventions import SAMPLE_RATE
from fxnorm.losses import StereoLossB
from fxnorm.models import AutomixConfig, AutomixNet, build, mix_stream
from stages.params import load_params


def main() -> None:
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="60 s, and 10 minutes streamed")
    long = parser.parse_args().long
    cases: list[tuple[str, Callable[..., Tensor | None], tuple[object, ...]]] = []
    for seconds in (10, 60) if long else (10,):
        cases += [
            (f"forward {seconds} s, {name}", forward, (name, seconds))
            for name in ("fxnorm", "plain, padded", "plain")
        ]
    cases += [
        (f"forward + backward with loss B 10 s, {name}", training_step, (name,))
        for name in ("fxnorm", "plain, padded", "plain")
    ]
    cases += [
        ("small network, step of 2 x 3 s, fxnorm", small_step, ("fxnorm",)),
        ("small network, step of 2 x 3 s, plain", small_step, ("plain",)),
        ("small Wave-U-Net, step of 2 x 3 s", small_wave_u_net_step, ()),
    ]
    cases.append(("streamed 60 s", streamed, (60,)))
    if long:
        cases.append(("streamed 600 s", streamed, (600,)))
    rate = matrix_rate()
    outputs: dict[str, Tensor] = {}
    for title, run, arguments in cases:
        # A process of its own: peak memory never goes down.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds_, memory, output = pool.apply(measure, (run, arguments))
        line = f"{title:60s} {seconds_:8.2f} s {memory:6.2f} GiB"
        if title == "forward 10 s, fxnorm":
            least = multiply_adds(AutomixConfig(), 10) / rate
            line += f"   {seconds_ / least:.2f} times {least:.2f} s"
        if output is not None:
            reference = outputs.setdefault(title.split(",")[0], output)
            line += f"   max. difference {(output - reference).abs().max():.1e}"
        print(line, flush=True)


def measure(
    run: Callable[..., Tensor | None], arguments: tuple[object, ...]
) -> tuple[float, float, Tensor | None]:
    """Processor seconds and GiB of one case, and what it returned."""
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best, output = float("inf"), None
    for _ in range(2):
        start = time.process_time()
        output = run(*arguments)
        best = min(best, time.process_time() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return best, (after - before) / 2**20, output


def matrix_rate() -> float:
    """Multiply-adds per second of a matrix product in single precision, on one thread."""
    torch.set_num_threads(1)
    a, b = torch.randn(4096, 512), torch.randn(512, 512)
    times = []
    for _ in range(20):
        start = time.process_time()
        a @ b
        times.append(time.process_time() - start)
    return a.numel() * b.shape[1] / min(times)


def multiply_adds(config: AutomixConfig, seconds: int) -> float:
    """Of the forward pass in the time domain, with the stems summed in the decoder's kernel."""
    filters, hidden = config.filters, config.hidden
    per_sample = filters * config.kernel * (config.stems * config.channels + 2 + config.channels)
    outputs = config.bottleneck + config.skip
    per_block = hidden * (config.bottleneck + config.block_kernel + outputs)
    per_frame = config.repeats * config.blocks * per_block + filters * outputs
    per_frame += config.lstm_layers * 4 * filters * (filters + filters // 2)
    return seconds * SAMPLE_RATE * (per_sample + per_frame / config.pool)


def forward(name: str, seconds: int) -> Tensor:
    """The paper's network on one song."""
    net, stems = paper_network(), audio(1, seconds)
    with torch.inference_mode():
        return network(name, net)(stems)


def training_step(name: str) -> None:
    """Forward and backward of the paper's network and loss B."""
    step(name, paper_network(), audio(1, 10))


def small_step(name: str) -> None:
    """The same with the network of params.yaml, whose size trains on a CPU."""
    step(name, small_network("automix"), audio(2, 3))


def small_wave_u_net_step() -> None:
    """The same with the Wave-U-Net of params.yaml."""
    net, stems = small_network("wave-u-net"), audio(2, 3)
    target = stems.sum(1)[..., net.output_offset : -net.output_offset]
    StereoLossB(precision="single")(net(stems), target).backward()


def streamed(seconds: int) -> None:
    """The paper's network block by block."""
    net, stems = paper_network(), audio(1, 20)[0]

    def read(start: int, count: int) -> Tensor:
        return stems[..., torch.arange(start, start + count) % stems.shape[-1]]

    mix_stream(net, read, lambda part: None, seconds * SAMPLE_RATE)


def step(name: str, net: AutomixNet, stems: Tensor) -> None:
    """One forward and backward pass with loss B."""
    target = stems.sum(1)
    if name == "fxnorm":
        StereoLossB(precision="single")(net(stems), target).backward()
    else:
        taps = StereoLossB().filter_taps
        plain_loss_b(network(name, net)(stems), target, taps, 30).backward()


def network(name: str, net: AutomixNet) -> Callable[[Tensor], Tensor]:
    """The network by one of the implementations."""
    if name == "fxnorm":
        return net
    return lambda x: plain_forward(net, x, explicit_padding=name == "plain, padded")


def paper_network() -> AutomixNet:
    """The paper's network with the weights of one seed."""
    torch.manual_seed(0)
    return AutomixNet(AutomixConfig()).eval()


def small_network(kind: str) -> Any:
    """A network of params.yaml with the weights of one seed."""
    torch.manual_seed(0)
    return build(load_params("params.yaml").networks[kind])


def audio(batch: int, seconds: int) -> Tensor:
    """Noise (batch, 4, 2, samples)."""
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(batch, 4, 2, seconds * SAMPLE_RATE // 64 * 64, generator=generator)


if __name__ == "__main__":
    main()
