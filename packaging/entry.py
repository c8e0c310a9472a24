"""The first of the file's code to run. It has to parse under any Python, so that the wrong one is told so."""

import os
import sys

from built import PYTHON, SUFFIX

suffixes = []
if sys.version_info[:2] == PYTHON:
    import importlib.machinery

    suffixes = importlib.machinery.EXTENSION_SUFFIXES

if SUFFIX not in suffixes:
    wanted = "%d.%d" % PYTHON
    here = "%d.%d" % sys.version_info[:2]
    mend = "Build it on this machine with ./build.sh"
    if here != wanted:
        mend = "Run it as `python%s %s`, or build it for this Python with ./build.sh" % (wanted, sys.argv[0])
    system = SUFFIX.split(".")[1].split("-", 2)[-1]
    sys.stderr.write(
        "homeport: this file needs Python %s on %s, and this is Python %s on %s. %s.\n"
        % (wanted, system, here, os.uname()[4], mend)
    )
    sys.exit(1)

from bootstrap import start  # noqa: E402, F401  only now: it may use all that this Python knows
