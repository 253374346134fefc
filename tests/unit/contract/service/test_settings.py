from datetime import timedelta

import pytest
from pydantic import ValidationError

from contract.errors import SettingsError
from contract.service.settings import Duration, ServiceSettings, load


class Example(ServiceSettings):
    wait: Duration = timedelta(seconds=1)


def test_settings_come_from_variables_and_given_values_take_precedence(monkeypatch):
    monkeypatch.setenv("EMOTII_LOG_LEVEL", "debug")
    monkeypatch.setenv("EMOTII_METRICS_PORT", "9100")
    settings = load(Example, metrics_port=9200, log_json=None)
    assert (settings.log_level, settings.metrics_port, settings.log_json) == ("debug", 9200, False)


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("EMOTII_METRICS_PORT", "")
    assert load(Example).metrics_port == 0


@pytest.mark.parametrize("port", ["-1", "65536", "http", "1.5"])
def test_a_bad_value_is_one_line_that_names_the_variable(monkeypatch, port):
    monkeypatch.setenv("EMOTII_METRICS_PORT", port)
    with pytest.raises(SettingsError, match=rf"EMOTII_METRICS_PORT={port}: ") as error:
        load(Example)
    assert "\n" not in str(error.value)


def test_a_password_in_a_bad_value_is_not_shown(monkeypatch):
    monkeypatch.setenv("EMOTII_LOG_LEVEL", "redis://me:secret@host")
    with pytest.raises(SettingsError) as error:
        load(Example)
    assert "secret" not in str(error.value)


def test_settings_cannot_be_changed_later():
    with pytest.raises(ValidationError, match="frozen"):
        load(Example).metrics_port = 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("5s", 5), ("2min", 120), ("1h", 3600), ("7d", 604800), ("0.5", 0.5), ("3 s", 3), ("0", 0)],
)
def test_a_duration_is_written_as_people_write_it(monkeypatch, text, seconds):
    monkeypatch.setenv("EMOTII_WAIT", text)
    assert load(Example).wait == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["36501d", "86400000000000", "9" * 400])
def test_a_duration_of_more_than_a_hundred_years_is_refused(monkeypatch, text):
    monkeypatch.setenv("EMOTII_WAIT", text)
    with pytest.raises(SettingsError, match=r"EMOTII_WAIT=.*a hundred years"):
        load(Example)


@pytest.mark.parametrize("text", ["soon", "-1s", "5 weeks", "1e3", "nan", "PT5S", "s"])
def test_the_message_for_an_invalid_duration_shows_examples(monkeypatch, text):
    monkeypatch.setenv("EMOTII_WAIT", text)
    with pytest.raises(SettingsError, match=r"EMOTII_WAIT=.*20ms, 5s"):
        load(Example)
