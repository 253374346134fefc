"""Pictures made one after another use the same memory, and no process takes more than its bound."""

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


ALLOCATION = """
from contract.service.memory import limit_address_space
print(limit_address_space({megabytes}))
try:
    bytearray(600 << 20)
    print("given")
except MemoryError:
    print("refused")
"""


def allocation(megabytes: int) -> list[str]:
    code = ALLOCATION.format(megabytes=megabytes)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_a_process_gets_no_more_memory_than_its_bound():
    if platform.system() == "Linux":
        assert allocation(300) == ["True", "refused"]
        assert allocation(4096) == ["True", "given"]
    assert allocation(0) == ["False", "given"]
