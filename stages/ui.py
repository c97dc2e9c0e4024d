"""`make ui`: MLflow's pages on the runs of this checkout, and the address to open."""

import os
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

from fxnorm.tracking import open_store
from stages.common import ends_in_one_line
from stages.tracking import main_checkout

#: Trainings, the best on the dry test set first.
TRAININGS = {
    "workflowType": "machine_learning",
    "searchFilter": "tags.`dvc.stage` LIKE 'train@%'",
    "orderByKey": "metrics.`dry/mean`",
    "orderByAsc": "true",
}


def main() -> None:
    """Print the address of the training runs, and serve the store unless a server does."""
    with ends_in_one_line("ui"):
        store = open_store(main_checkout(Path.cwd()), os.environ.get("MLFLOW_TRACKING_URI"))
    if store.notice is not None:
        print(f"ui: {store.notice}", file=sys.stderr)
    served = store.uri.startswith(("http://", "https://"))
    port = os.environ.get("MLFLOW_PORT", "5000")
    server = store.uri.rstrip("/") if served else f"http://127.0.0.1:{port}"
    query = urlencode(TRAININGS, quote_via=quote)
    page = f"/#/experiments/{store.experiment_id}/runs?{query}"
    print(f"Training runs: {server}{page}", flush=True)
    if not served:
        options = ["--backend-store-uri", store.uri, "--port", port, "--workers", "1"]
        os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *options])


if __name__ == "__main__":
    main()
