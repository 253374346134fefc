import pytest

from api_gateway.settings import GatewaySettings
from contract.errors import SettingsError
from contract.service.settings import load


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EMOTII_ALLOWED_HOSTS", "emotii.local, localhost")
    monkeypatch.setenv("EMOTII_SMOOTHING", "0.25")
    monkeypatch.setenv("EMOTII_SAVE", "0")
    settings = load(GatewaySettings)
    assert settings.allowed_hosts == ("emotii.local", "localhost")
    assert settings.smoothing.total_seconds() == 0.25
    assert settings.save is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMOTII_PORT", "70000"),
        ("EMOTII_PORT", "http"),
        ("EMOTII_SMOOTHING", "-1"),
        ("EMOTII_SMOOTHING", "nan"),
        ("EMOTII_SAVE_EVERY", "0"),
        ("EMOTII_UPLOAD_LIMIT", "0"),
        ("EMOTII_PREDICT_TIMEOUT", "soon"),
        ("EMOTII_VIDEO_QUALITY", "0"),
    ],
)
def test_an_invalid_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}={value}"):
        load(GatewaySettings)


def test_every_setting_has_a_description():
    assert all(field.description for field in GatewaySettings.model_fields.values())
