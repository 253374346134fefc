"""All settings together. `make docs` writes `docs/configuration.md` from them, so that the page is always true."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from contract.service.secret_files import file_variable, is_secret
from contract.service.settings import ServiceSettings
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.settings import JobsSettings

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

_INTRODUCTION = """\
# Configuration

Every setting is an environment variable; none has to be set. A value that cannot be used stops the start with one line
that names the variable. Durations are written as `20ms`, `5s`, `2min`, `1h` or `7d`. `emotii doctor` checks what is
set. A setting with a key (🔑) is a secret: it is never shown, and where its variable is unset, the same variable with
`_FILE` behind it may name a file that holds it (`EMOTII_TOKENS_FILE`).

This page is made from the settings classes by `make docs`.
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
    """One sentence for each `EMOTII_` variable that is no setting, with the setting that was probably meant."""
    fields = [field for settings in _SECTIONS.values() for field in settings.model_fields.items()]
    known = {f"EMOTII_{name.upper()}" for name, _ in fields} | {
        file_variable(n) for n, field in fields if is_secret(field)
    }
    for name in sorted(environment):
        if name.startswith("EMOTII_") and name not in known:
            near = get_close_matches(name, known, 1)
            yield f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")


def page() -> str:
    """The whole page, as Markdown."""
    shared = set(ServiceSettings.model_fields)
    parts = [_INTRODUCTION]
    for title, settings in _SECTIONS.items():
        # `emotii up` gives some of the services' settings defaults of its own; those services' repeat nothing.
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
    PAGE.write_text(page(), encoding="utf-8")
