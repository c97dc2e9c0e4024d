"""What mixes are called in tables and figures, and in which order they come.

The systems' display names come from the caller, as a mapping from system to name; the mixes that
need no network have theirs here.
"""

from collections.abc import Iterable, Mapping

from fxnorm.evaluation.evaluation_config import DRY_SUM, NORMALIZED_SUM

HUMAN = "Human"
#: Mixes without a network, which come before the systems.
BASELINE_NAMES = {DRY_SUM: "Dry sum", NORMALIZED_SUM: "Normalised sum"}


def system_name(system: str, names: Mapping[str, str]) -> str:
    """Display name of a system; without one in `names`, its own."""
    return BASELINE_NAMES.get(system) or names.get(system) or system


def ordered_systems(systems: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Baselines first, then the systems in the order of `names`, then the others by name."""
    known = [*BASELINE_NAMES, *names]
    return sorted(
        set(systems),
        key=lambda system: (known.index(system) if system in known else len(known), system),
    )
