"""python -m audit: run, migrate, operate, verify."""

from audit.service import service
from chassis.command_line import main

if __name__ == "__main__":
    main(service)
