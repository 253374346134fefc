"""What was read, kept for some days in a database: SQLite by default, PostgreSQL by `EMOTII_DATABASE_URL`."""
