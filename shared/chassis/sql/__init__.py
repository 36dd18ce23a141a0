"""PostgreSQL: connections, transactions that take their events with them, and migrations."""

from chassis.sql.database import KEEPALIVES, Database, Reader, Tx
from chassis.sql.leases import Busy
from chassis.sql.migrations import migrate
from chassis.sql.troubles import DATABASE_AWAY, TRANSIENT, Unreachable

__all__ = ["DATABASE_AWAY", "KEEPALIVES", "TRANSIENT", "Busy", "Database", "Reader", "Tx", "Unreachable", "migrate"]
