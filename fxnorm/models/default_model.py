"""The model that comes with the package, trained with `params/default-model.yaml`."""

from pathlib import Path

#: Its folder; docs/model-card.md says what it is.
DEFAULT_MODEL = Path(__file__).parent / "default"
