"""PostgreSQL: connections, transactions that take their events with them, and migrations."""

from chassis.sql.database import Busy, Database, Reader, Tx
from chassis.sql.migrations import migrate

__all__ = ["Busy", "Database", "Reader", "Tx", "migrate"]
