"""The command line of identity: serve, migrate, operator commands."""

from chassis.command_line import main
from identity.service import service

main(service)
