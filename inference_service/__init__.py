"""The workers: crops in, readings out. Start as many as you like; they share the work without being told to."""
