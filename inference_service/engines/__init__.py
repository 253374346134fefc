"""The runtimes that execute a model, behind one protocol. Each is imported only if it is chosen."""

from contract.errors import ModelError, SettingsError
from contract.model.folder import find_model
from contract.service.installation import Extra, install_hint
from inference_service.engines.engine import Engine, EngineError, probe
from inference_service.settings import InferenceSettings

__all__ = ["Engine", "EngineError", "load", "probe"]


def load(settings: InferenceSettings) -> Engine:
    """The chosen engine with the chosen model, after one classified batch.

    Raises:
        ModelError: the model is missing, differs from its `model.json`, or does not give one probability per label.
        SettingsError: the engine is not installed, or does not have this precision.
    """
    model = find_model(settings.model)
    if settings.engine == "tensorflow" and settings.precision == "int8":
        raise SettingsError("EMOTII_PRECISION=int8: tensorflow has no 8-bit integers; EMOTII_ENGINE=openvino has")
    engine: Engine
    try:
        if settings.engine == "tensorflow":
            from inference_service.engines.tensorflow import TensorFlowEngine

            engine = TensorFlowEngine(model, precision=settings.precision, threads=settings.threads)
        else:
            from inference_service.engines.openvino import OpenVinoEngine

            engine = OpenVinoEngine(model, precision=settings.precision, threads=settings.threads, batch=settings.batch)
        engine.classify(probe(settings.batch))
    except ModuleNotFoundError as error:
        hint = install_hint(EXTRAS[settings.engine])
        raise SettingsError(f"EMOTII_ENGINE={settings.engine}: {error.name} is not installed; {hint}") from error
    except EngineError as error:
        raise ModelError(f"{model.folder}: {error}") from error
    return engine


EXTRAS: dict[str, Extra] = {"openvino": "inference", "tensorflow": "tensorflow"}
"""The extra of `pyproject.toml` with the packages of each engine."""
