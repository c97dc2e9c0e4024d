from .model_registry import RegisteredModel, register_model
from .store import (
    EXPERIMENT,
    MODEL_DIGEST,
    Store,
    call_limit_s,
    number_from_environment,
    open_store,
    prepare_mlflow,
    reason,
    training_run,
)

__all__ = [
    "EXPERIMENT",
    "MODEL_DIGEST",
    "RegisteredModel",
    "Store",
    "call_limit_s",
    "number_from_environment",
    "open_store",
    "prepare_mlflow",
    "reason",
    "register_model",
    "training_run",
]
