"""The page of all settings is up to date."""

from emotii.settings_reference import PAGE, page


def test_the_configuration_page_matches_the_settings_classes():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
