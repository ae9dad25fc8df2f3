"""The store on Postgres, through psycopg; needs the extra `postgres`.

    store = open_postgres("postgresql://segue@db.example/segue")

See `PostgresStore`.
"""

from segue.storage.postgres.store import PostgresStore, open_postgres

__all__ = ["PostgresStore", "open_postgres"]
