"""The baseline without a network: the sum of the normalised stems."""

from collections.abc import Sequence

import numpy as np

from fxnorm.mixing.sources import Stems, common_rate, open_stems
from fxnorm.mixing.steps import Mix, finish, normalize_sources
from fxnorm.normalization import (
    DatasetFeatures,
    FxNormalizer,
    ImpulseResponse,
    NormalizationConfig,
)


def sum_normalized(
    stems: Stems,
    sample_rate: int | None,
    features: DatasetFeatures,
    config: NormalizationConfig | None = None,
    *,
    seed: int = 0,
    impulse_responses: Sequence[ImpulseResponse] | None = None,
    pre_impulse_responses: Sequence[ImpulseResponse] | None = None,
) -> Mix:
    """The baseline: the plain sum of the normalised stems, with no network.

    Args:
        stems: see `fxnorm.mixing.mix_stems`.
        sample_rate: see `fxnorm.mixing.mix_stems`.
        features: what to normalise to.
        config: settings of the normalisation.
        seed: see `fxnorm.mix`.
        impulse_responses: for the effect `reverb`.
        pre_impulse_responses: for the effect `prereverb`.

    Raises:
        FxNormError: see `fxnorm.mix`.
    """
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
    )
    sample_rate = common_rate(stems, sample_rate)
    sources = open_stems(stems, sample_rate, features.stems)
    mixed = np.zeros((max(source.samples for source in sources), 2), np.float32)
    reports = {}
    notes: list[str] = []
    for stem in normalize_sources(sources, normalizer, seed, warm_up=0):
        mixed += stem.audio
        reports[stem.type] = stem.report
        notes += stem.notes
    return finish(mixed, sources, sample_rate, reports, notes)
