"""Scripts that settled single choices; not part of `make bench`."""
