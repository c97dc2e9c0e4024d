"""The mixer as MLflow loads and serves it: this file is the code that a logged model holds.

A row of input is a song: in the column of each stem type an audio file as bytes, which JSON
carries in base64. The column `mix` of the output is a wav file, as long as the longest stem and at
the stems' highest sample rate.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from fxnorm import audio
from fxnorm.errors import FxNormError
from fxnorm.mixing import choose_device, mix_stems
from fxnorm.models import load
from fxnorm.normalization import load_impulse_responses
from fxnorm.scratch import temporary_folder

#: Of the mixes' samples.
SUBTYPE = "PCM_24"
#: Names of a logged model's folders.
MODEL, IMPULSE_RESPONSES = "model", "impulse_responses"


class ServedMixer(PythonModel):
    """Stems in, mix out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model folder, and the impulse responses if there are any."""
        rooms = context.artifacts.get(IMPULSE_RESPONSES)
        self._model = load(context.artifacts[MODEL], choose_device("auto"))
        self._rooms = None if rooms is None else load_impulse_responses(rooms)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Mix songs.

        Args:
            context: not needed here.
            model_input: a song per row, a column per stem type; stems may be missing or None.
            params: `seed` of the choice of impulse responses.

        Returns:
            The columns `mix` (a wav file) and `warnings` (one line each, or nothing).

        Raises:
            MlflowException: a song without stems, or a stem that is no audio.
        """
        seed = int((params or {}).get("seed", 0))
        songs = model_input.to_dict(orient="records")
        return pd.DataFrame([self._mix(song, seed) for song in songs])

    def _mix(self, song: Mapping[Hashable, Any], seed: int) -> dict[str, Any]:
        with temporary_folder() as folder:
            given = {str(stem): data for stem, data in song.items() if isinstance(data, bytes)}
            if unknown := sorted(given.keys() - set(self._model.config.stems)):
                # Their names come from the network, and would become paths.
                raise MlflowException.invalid_parameter_value(f"unknown stem '{unknown[0]}'")
            files = {stem: folder / stem for stem in given}
            for stem, data in given.items():
                files[stem].write_bytes(data)
            try:
                mixed = mix_stems(
                    files, None, self._model, seed=seed, impulse_responses=self._rooms
                )
            except FxNormError as error:
                reason = str(error).replace(f"{folder}/", "")
                raise MlflowException.invalid_parameter_value(reason) from error
            path = folder / "mix.wav"
            audio.write(path, mixed.audio, mixed.sample_rate, SUBTYPE)
            return {"mix": path.read_bytes(), "warnings": "\n".join(mixed.warnings)}


set_model(ServedMixer())
