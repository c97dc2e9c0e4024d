"""The baseline without a network: the sum of the normalised stems."""

from collections.abc import Sequence

from fxnorm.audio import weighted_sum
from fxnorm.mixing.finishing import Finishing, Mix, Raw, finish
from fxnorm.mixing.mix_arguments import MixArguments
from fxnorm.mixing.preparation import prepare_song
from fxnorm.mixing.sources import open_stems
from fxnorm.mixing.tracks import Stems
from fxnorm.normalization import DatasetFeatures, FxNormalizer, ImpulseResponse, NormalizationConfig


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

    Arguments as for `fxnorm.mixing.mix_stems`, but with these in the place of a model.

    Args:
        features: what to normalise to.
        config: settings of the normalisation.

    Raises:
        FxNormError: see `fxnorm.mix`.
    """
    given = MixArguments.of(
        seed=seed,
        impulse_responses=impulse_responses,
        pre_impulse_responses=pre_impulse_responses,
        finishing=finishing,
    )
    normalizer = FxNormalizer(
        features,
        config,
        impulse_responses=given.impulse_responses,
        pre_impulse_responses=given.pre_impulse_responses,
    )
    sources = open_stems(stems, sample_rate, features.stems)
    finishing = given.finishing or Finishing()
    finishing.require([source.stem for source in sources])
    keep_given = keep_trace or finishing.wet < 1.0
    song = prepare_song(sources, normalizer, given.seed, keep_given=keep_given)
    # What is done to the shares is not done to the trace.
    raw = Raw(shares={stem.type: weighted_sum((stem.normalized, 1.0)) for stem in song.stems})
    return finish(raw, song, finishing, keep_stems=keep_stems, keep_trace=keep_trace)
