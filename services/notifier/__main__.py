"""python -m notifier COMMAND."""

from chassis.command_line import main
from notifier.service import service

main(service)
