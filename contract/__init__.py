"""What the services agree on: messages, stream names, labels, preprocessing, models, Redis, clock and lifecycle.

Whatever is imported of it, structlog is imported first, and without Rich. Structlog would import that for tracebacks in
colour, which no log here has: 12 MB in every process, and a fifth of the time that small ones take to start.
"""

import sys

if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # None is how an import is forbidden
    import structlog as structlog

    del sys.modules["rich"]
