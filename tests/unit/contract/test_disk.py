"""A full disk is told from one that cannot be written for another reason."""

import errno
import os

import pytest

from contract.disk import is_full, trouble


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_a_used_up_quota_and_a_limit_on_files_are_a_full_disk(number):
    error = OSError(number, os.strerror(number), "/srv/faces")
    assert is_full(error)
    assert trouble("EMOTII_JOBS", error) == "the disk of EMOTII_JOBS is full"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.ENOTDIR])
def test_other_reasons_are_named_without_a_path(number):
    error = OSError(number, os.strerror(number), "/srv/faces")
    assert not is_full(error)
    assert trouble("EMOTII_JOBS", error) == f"EMOTII_JOBS cannot be written: {os.strerror(number)}"


def test_an_error_of_another_kind_is_no_full_disk():
    assert not is_full(None)
    assert not is_full(ValueError())
