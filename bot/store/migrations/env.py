"""Run migrations on the connection (and in the transaction) that `bot/store/upgrade.py` opened."""

from __future__ import annotations

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # Alembic believes that SQLite can't; with a transaction begun explicitly it can, and a migration that is killed
    # half-way leaves nothing behind that would block the next start.
    transactional_ddl=True,
    # SQLite alters a table by building it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
