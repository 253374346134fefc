"""Memory for pictures: kept by a process that makes one after another, not given back and asked for again."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
_KEPT_BYTES = 64 << 20
_MAPPED_FROM_BYTES = 32 << 20
"""The highest that glibc takes."""
_MOST_ARENAS = 2


def keep_freed() -> bool:
    """Have what is freed used again by the next picture; whether this system's allocator can be told so.

    By default glibc gives back a freed picture's pages, and the next one of 640x480 costs a millisecond for the kernel
    to find and clear 400 new ones: a colour JPEG of that size is then decoded in 1.9 ms of CPU time instead of 0.7.
    Few arenas, so that threads share what is kept. See mallopt(3); to be called before there are threads.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    asked = ((_MMAP_THRESHOLD, _MAPPED_FROM_BYTES), (_TRIM_THRESHOLD, _KEPT_BYTES), (_ARENAS, _MOST_ARENAS))
    return [mallopt(name, value) for name, value in asked] == [1, 1, 1]
