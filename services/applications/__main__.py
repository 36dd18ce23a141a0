"""The command line of applications."""

from applications.service import service
from chassis.command_line import main

main(service)
