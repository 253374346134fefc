from pathlib import Path

import pytest

from api_gateway.settings import GatewaySettings
from contract.errors import SettingsError
from contract.service.settings import ServiceSettings, load

URL = "redis://emotii:hunter2@redis:6379/0"


def test_a_secret_is_read_from_the_file_that_a_variable_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "url"
    file.write_text(f"{URL}\n")
    monkeypatch.setenv("EMOTII_REDIS_URL_FILE", str(file))
    assert load(ServiceSettings).redis_url == URL
    monkeypatch.setenv("EMOTII_REDIS_URL", "redis://other/0")
    assert load(ServiceSettings).redis_url == "redis://other/0"
    monkeypatch.setenv("EMOTII_REDIS_URL", "")
    assert load(ServiceSettings).redis_url == URL


def test_other_settings_are_not_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "level"
    file.write_text("debug")
    monkeypatch.setenv("EMOTII_LOG_LEVEL_FILE", str(file))
    assert load(ServiceSettings).log_level == "info"


def test_a_missing_secret_file_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("EMOTII_TOKENS_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=r"^EMOTII_TOKENS_FILE=.*: No such file or directory$"):
        load(GatewaySettings)


def test_an_error_never_shows_a_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EMOTII_TOKENS", "operator:hunter2")
    with pytest.raises(SettingsError, match=r"^EMOTII_TOKENS: ") as raised:
        load(GatewaySettings)
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in repr(GatewaySettings(tokens="operator:hunter2hunter2hunter2hunter2"))
