"""Run a module as a child that never outlives its parent.

usage: python child.py SIGNAL PATH MODULE [ARGUMENT...]

The child's standard input is a pipe that its parent holds open and never writes to. The pipe closes when the
parent ends, in whichever way, and the child then sends itself SIGNAL. This works where Linux's parent-death
signal does not, and that one is bound to the thread that started the child, not to the process.

PATH becomes the first entry of sys.path, as Lambda does with the task root; empty for none.
"""

import os
import runpy
import sys
import threading


def _end_with_parent(number: int) -> None:
    os.read(0, 1)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    number, path, module, *arguments = sys.argv[1:]
    sys.path[:1] = [path] if path else []
    sys.argv = [module, *arguments]
    threading.Thread(target=_end_with_parent, args=[int(number)], daemon=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
