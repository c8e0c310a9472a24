"""`homeport`, and `python -m appliance`."""

import io
import sys
from typing import TYPE_CHECKING

from appliance.cli.edge import fault
from appliance.cli.main import homeport

if TYPE_CHECKING:
    from appliance.cli.host import Host


def host() -> "Host":
    """The server's own side, which knows everything; only commands on its host need it."""
    import appliance.app

    return appliance.app


def main() -> None:
    sys.excepthook = fault
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no locale makes an output fail
    homeport.main(prog_name="homeport", obj=host)


if __name__ == "__main__":
    main()
