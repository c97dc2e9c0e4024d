"""The baseline without a network: the sum of the normalised stems."""

from collections.abc import Sequence

from fxnorm.audio import weighted_sum
from fxnorm.mixing.finishing import Finishing, Mix, Raw, finish
from fxnorm.mixing.sources import common_rate, open_stems
from fxnorm.mixing.steps import prepare_stems
from fxnorm.mixing.tracks import Stems, tracks_of
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
    finishing: Finishing | None = None,
    keep_stems: bool = True,
    keep_trace: bool = False,
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
        finishing: see `fxnorm.mixing.mix_stems`.
        keep_stems: see `fxnorm.mixing.mix_stems`.
        keep_trace: see `fxnorm.mixing.mix_stems`.

    Raises:
        FxNormError: see `fxnorm.mix`.
    """
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
    )
    tracks = tracks_of(stems)
    sample_rate = common_rate(tracks, sample_rate)
    sources = open_stems(tracks, sample_rate, features.stems)
    finishing = finishing or Finishing()
    keep_given = keep_trace or finishing.wet < 1.0
    prepared, notes = prepare_stems(sources, normalizer, seed, warm_up=0, keep_given=keep_given)
    # What is done to the shares is not done to the trace.
    shares = {stem.type: weighted_sum((stem.normalized, 1.0)) for stem in prepared}
    return finish(
        Raw(shares=shares),
        prepared,
        0,
        sources,
        sample_rate,
        finishing,
        notes,
        keep_stems=keep_stems,
        keep_trace=keep_trace,
    )
