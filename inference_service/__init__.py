"""The workers: crops in, readings out. Start as many as you like; they share the work without being told to."""

import contract as contract  # before structlog, of which it leaves out what is not needed
