"""CLI: the command line, verb first.

    main : arguments -> exit code      0 ok, 1 error, 2 usage, 3 denied, 4 approval, 5 data unfit

Every failure ends as one line on stderr. What was not expected has its details in the log.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    from dynamic.app.cli.verdict import run

    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))
