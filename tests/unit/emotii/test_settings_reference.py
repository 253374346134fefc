"""The page of all settings says what the code says."""

from emotii.settings_reference import PAGE, page


def test_the_configuration_page_is_what_the_settings_classes_give():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
