"""`python -m stages.compare`: whether this checkout's run is as the reference table says.

Exit status 0 when every number is as expected, 1 when some are not, 2 when there is nothing to
compare.
"""

import sys
from pathlib import Path

from fxnorm.errors import FxNormError
from fxnorm.reporting.reference import compare_with_reference, read_reference
from stages.headlines import read_headlines
from stages.params import load_params

REFERENCE = Path("docs/reference.csv")


def main() -> None:
    """Print every number beside the reference, and how many lie outside its tolerances."""
    try:
        params = load_params("params.yaml")
        compared = compare_with_reference(read_headlines(params), read_reference(REFERENCE))
    except FileNotFoundError as error:
        print(f"compare: {error.filename}: no such file; run `make repro` first", file=sys.stderr)
        raise SystemExit(2) from None
    except FxNormError as error:
        print(f"compare: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    shown = compared.rename(columns={"value": "this run", "mean": "reference", "tolerance": "±"})
    print(shown.to_string(index=False, float_format="{:.3f}".format))
    outside = (compared["verdict"] != "as expected").sum()
    count = f"{outside} of {len(compared)}" if outside else f"All {len(compared)}"
    print(f"\n{count} numbers lie {'outside' if outside else 'within'} the tolerances.")
    raise SystemExit(int(outside > 0))


if __name__ == "__main__":
    main()
