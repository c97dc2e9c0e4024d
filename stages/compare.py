"""`python -m stages.compare`: whether this checkout's run is as the reference table says.

Exit status 0 when every number is as expected, 1 when some are not, 2 when there is nothing to
compare.
"""

from fxnorm.reporting.reference import compare_with_reference, read_reference
from stages.common import ends_in_one_line
from stages.headlines import read_headlines
from stages.params import load_params
from stages.places import REFERENCE


def main() -> None:
    """Print every number beside the reference, and how many lie outside its tolerances."""
    with ends_in_one_line("compare"):
        params = load_params("params.yaml")
        compared = compare_with_reference(read_headlines(params), read_reference(REFERENCE))
    shown = compared.rename(columns={"value": "this run", "mean": "reference", "tolerance": "±"})
    print(shown.to_string(index=False, float_format="{:.3f}".format))
    outside = (compared["verdict"] != "as expected").sum()
    count = f"{outside} of {len(compared)}" if outside else f"All {len(compared)}"
    print(f"\n{count} numbers lie {'outside' if outside else 'within'} the tolerances.")
    raise SystemExit(int(outside > 0))


if __name__ == "__main__":
    main()
