"""Memory for pictures: how much a process may have, and that it keeps freed memory for the next picture."""

import contextlib
import ctypes
import errno
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
_KEPT_BYTES = 64 << 20
_MAPPED_FROM_BYTES = 32 << 20
"""The highest value that glibc accepts."""
_MOST_ARENAS = 2
_OPENCV_NO_MEMORY = -4
"""The code of `cv2.error`: StsNoMem."""
_NO_MEMORY = ("bad_alloc", "can't start new thread", "failed to map segment")
"""Of C++, of Python, and of the loader of libraries."""


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


def limit_address_space(megabytes: int) -> bool:
    """Bound the memory of this process and of those that it starts; 0 sets no bound.

    Beyond it, an allocation fails in this process (`MemoryError`, or the error of the library that asked), so that a
    file made for it cannot take the memory of the whole machine. See setrlimit(2), RLIMIT_AS: the bound counts mapped
    memory, of which libraries and the stacks of threads take 0.9 GB here before the first picture, more than is used.

    Returns:
        Whether a bound is set. macOS refuses to.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        wanted, (_, most) = megabytes << 20, resource.getrlimit(resource.RLIMIT_AS)
        if wanted:
            bound = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
            return True
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, OpenCV, PyAV or OpenVINO says that an allocation failed."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or getattr(error, "code", None) == _OPENCV_NO_MEMORY
        or any(words in str(error) for words in _NO_MEMORY)
    )
