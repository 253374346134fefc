"""The workers: crops in, readings out. Any number of workers can run; they share the work through Redis."""
