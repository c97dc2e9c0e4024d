"""The learning rate of every step."""

import math

from fxnorm.training.training_config import TrainingConfig


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Learning rate of a step: the configured one, times schedule, times ramp, times decay.

    Args:
        config: `learning_rate`, `schedule`, `steps_per_epoch`, `ramp_steps`, `decay` and
            `decay_to` matter.
        step: counted from 0 over the whole run.
    """
    scheduled = config.learning_rate * _factor(config, step)
    ramp = min(1.0, (step + 1) / config.ramp_steps) if config.ramp_steps else 1.0
    return scheduled * ramp * _decay(config, step)


def _factor(config: TrainingConfig, step: int) -> float:
    epoch = step // config.steps_per_epoch
    for part in config.schedule:
        if epoch < part.epochs:
            return part.factor
        epoch -= part.epochs
    return config.schedule[-1].factor


def _decay(config: TrainingConfig, step: int) -> float:
    if config.decay == "none":
        return 1.0
    done = step / max(1, config.steps - 1)
    remaining = 1.0 - done if config.decay == "linear" else 0.5 + 0.5 * math.cos(math.pi * done)
    return config.decay_to + (1.0 - config.decay_to) * remaining
