"""Pictures made one after another use the same memory."""

import platform
import subprocess
import sys

MANY_PICTURES = """
import resource
from contract.service.memory import keep_freed
if {kept}: assert keep_freed()
def picture(): [bytearray(921_600) for _ in range(4)]  # the frame and what is made of it
picture()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100): picture()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def new_pages(*, kept: bool) -> int:
    code = MANY_PICTURES.format(kept=kept)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def test_the_second_picture_needs_no_new_pages_of_the_kernel():
    if platform.libc_ver()[0] != "glibc":
        assert new_pages(kept=False) >= 0  # other allocators are left as they are
        return
    assert new_pages(kept=True) < 1000
    assert new_pages(kept=False) > 10_000
