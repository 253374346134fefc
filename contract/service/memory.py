"""Memory for pictures: a process that makes one picture after another keeps freed memory for the next one."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
_KEPT_BYTES = 64 << 20
_MAPPED_FROM_BYTES = 32 << 20
"""The highest value that glibc accepts."""
_MOST_ARENAS = 2


def keep_freed() -> bool:
    """Have the allocator keep freed memory for the next picture; whether the allocator of this system supports it.

    By default glibc returns the pages of a freed picture, and for the next one of 640x480 the kernel takes a
    millisecond to find and clear 400 new pages: a colour JPEG of that size takes 1.9 ms of CPU time instead of 0.7.
    There are few arenas, so that threads share the memory. See mallopt(3). Call it before threads are started.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    options = ((_MMAP_THRESHOLD, _MAPPED_FROM_BYTES), (_TRIM_THRESHOLD, _KEPT_BYTES), (_ARENAS, _MOST_ARENAS))
    return [mallopt(name, value) for name, value in options] == [1, 1, 1]
