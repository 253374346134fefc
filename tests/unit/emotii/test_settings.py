"""Variables that are not settings are reported, with the setting that was probably meant."""

from emotii.settings_reference import unknown


def test_a_misspelt_variable_is_reported_with_the_setting_that_was_meant():
    assert list(unknown(["EMOTII_SOURCE", "EMOTII_PORT", "HOME"])) == [
        "EMOTII_SOURCE is not a setting; did you mean EMOTII_SOURCES?"
    ]


def test_a_variable_that_resembles_no_setting_is_reported_without_a_guess():
    assert list(unknown(["EMOTII_XYZZY_QUUX_1"])) == ["EMOTII_XYZZY_QUUX_1 is not a setting"]
