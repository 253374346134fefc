"""What Alembic runs: the scripts of `versions/`, in the transaction that `migrate` has begun.

A new script: change `tables.py`, write `versions/000N_<what>.py`; a test compares the two.
"""

from alembic import context

from api_gateway.history.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
