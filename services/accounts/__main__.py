"""python -m accounts: run, migrate, operate."""

from accounts.service import service
from chassis.command_line import main

if __name__ == "__main__":
    main(service)
