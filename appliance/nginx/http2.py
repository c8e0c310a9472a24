"""How the NGINX of this host is told to speak HTTP/2."""

import os
import re
import shutil
from functools import lru_cache

from appliance.machine.process import run
from appliance.settings import Settings

PATIENCE = 5.0
_VERSION = re.compile(r"nginx/(\d+)\.(\d+)\.(\d+)")


def form(settings: Settings) -> str:
    """`listen`: a word of that line; `directive`: by itself, from 1.25.1 on; empty where it was built without."""
    program = settings.nginx_test[0]
    return _known(program, _stamp(program))


@lru_cache(maxsize=8)
def _known(program: str, _: int) -> str:
    """Behind a wrapper nobody can tell: the older form is known to all."""
    if os.path.basename(program) != "nginx":
        return "listen"
    ran = run((program, "-V"), timeout=PATIENCE)
    found = _VERSION.search(ran.output)
    if not ran.ok or found is None:
        return "listen"
    if "http_v2_module" not in ran.output:
        return ""
    return "directive" if tuple(map(int, found.groups())) >= (1, 25, 1) else "listen"


def _stamp(program: str) -> int:
    try:
        return os.stat(shutil.which(program) or program).st_mtime_ns
    except OSError:
        return 0
