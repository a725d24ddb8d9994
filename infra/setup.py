"""Set up what a make target needs: `python3 -m infra.setup run emulator`.

This file alone is written so that Python 3.6 still parses it: an old Python is told so in words, not by a traceback.
"""

import sys

OLDEST = (3, 11)


def main() -> int:
    """Refuse an old Python, else set up the environments named on the command line; returns the exit code."""
    if sys.version_info < OLDEST:
        sys.stderr.write(
            "Gharama needs Python {}.{} or newer; this is {}.{}.{} at {}.\n"
            "With a newer one installed: make PYTHON=python3.13 TARGET\n".format(
                *(OLDEST + tuple(sys.version_info[:3]) + (sys.executable,))
            )
        )
        return 2
    from infra.environments import main as set_up

    return set_up(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
