"""Alembic's entry: runs the migrations over the connection that `segue.storage.migrate` opened, or writes them down."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

if context.is_offline_mode():
    dialect: str = context.config.attributes["dialect"]
    context.configure(dialect_name=dialect, as_sql=True, transactional_ddl=False)
else:
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
