"""`python -m infra.local up|stop|logs|status`. Parses under an old Python, to tell it that it is too old."""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit("The local cloud needs Python %d.%d or newer; this is %d.%d" % (OLDEST + sys.version_info[:2]))  # noqa: UP031

from infra.local.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
