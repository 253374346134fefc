"""The reference of all settings: `make docs` writes `docs/configuration.md` from the settings classes."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from contract.atomic_file import write_atomically
from contract.service.secret_files import file_variable, is_secret
from contract.service.settings import ServiceSettings
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.settings import JobsSettings

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

_INTRODUCTION = """\
# Configuration

Every setting is an environment variable, and every setting is optional.

- An invalid value prevents the start; the error message names the variable.
- Durations are written as `20ms`, `5s`, `2min`, `1h` or `7d`.
- A setting with a key (🔑) is a secret: it is never displayed. Instead of its variable you can set the same variable
  with the suffix `_FILE` to the path of a file that contains the secret (`EMOTII_TOKENS_FILE`).
- `emotii doctor` checks the environment.

`make docs` generates this page from the settings classes.
"""

_SECTIONS: dict[str, type[BaseSettings]] = {
    "Every service": ServiceSettings,
    "Capture": CaptureSettings,
    "Inference": InferenceSettings,
    "Gateway": GatewaySettings,
    "Jobs": JobsSettings,
    "`emotii up` and `emotii analyze`": UpSettings,
}


def unknown(environment: Iterable[str]) -> Iterator[str]:
    """One sentence for each `EMOTII_` variable that is not a setting, with the setting that was probably meant."""
    fields = [field for settings in _SECTIONS.values() for field in settings.model_fields.items()]
    known = {f"EMOTII_{name.upper()}" for name, _ in fields} | {
        file_variable(n) for n, field in fields if is_secret(field)
    }
    for name in sorted(environment):
        if name.startswith("EMOTII_") and name not in known:
            near = get_close_matches(name, known, 1)
            yield f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def page() -> str:
    """The whole page, as Markdown."""
    shared = set(ServiceSettings.model_fields)
    parts = [_INTRODUCTION]
    for title, settings in _SECTIONS.items():
        # `emotii up` has its own defaults for some settings of the services; the other sections repeat no setting.
        left_out = set() if settings in {ServiceSettings, UpSettings} else shared
        parts.append(f"\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n")
        parts.extend(_rows(settings, left_out))
    return "".join(parts)


def _rows(settings: type[BaseSettings], left_out: set[str]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        if name not in left_out:
            meaning = (field.description or "").replace("|", "\\|")
            key = " 🔑" if is_secret(field) else ""
            yield f"| `EMOTII_{name.upper()}`{key} | {_shown(field.default)} | {meaning} |\n"


def _shown(value: object) -> str:
    match value:
        case None | "" | () | []:
            return ""
        case _ if value is PydanticUndefined:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{_duration(value)}`"
        case tuple() | list():
            return f"`{','.join(str(part) for part in value)}`"
        case _:
            return f"`{value}`"


def _duration(value: timedelta) -> str:
    milliseconds = round(value.total_seconds() * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


if __name__ == "__main__":
    write_atomically(PAGE, page().encode())
