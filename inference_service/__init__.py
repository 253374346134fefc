"""The workers: crops in, readings out. Any number of workers can run; they share the work through Redis."""

import contract as contract  # before structlog, of which it leaves out what is not needed
