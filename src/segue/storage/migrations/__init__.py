"""The schema of the database, as the steps that lead to it (Alembic). Needs the extra `server`.

Written by hand for each dialect, forward only, expand before contract. `tools/generate_schema.py` writes the outcome to
`storage/schema.sql`, from which a fresh SQLite home is made without Alembic.
"""
