"""python -m audit: run, migrate, operate; and the verifier's programs, which need neither settings nor a service."""

import sys

from audit.proof.command_line import verify_file, verify_log
from chassis.command_line import main
from chassis.readers import may_leave

PROGRAMS = {"verify": verify_log, "verify-csv": verify_file}

if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in PROGRAMS:
        with may_leave():
            sys.exit(PROGRAMS[sys.argv[1]](sys.argv[2:]))
    from audit.service import service

    main(service)
