"""`./build.sh bench [name ...]`: run the measurements and print them as one table."""

import argparse
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import caddy, crowd, deploying, listing, many, signing_in, starting, swapping, urls
from bench.tables import Row, table

BENCHES = {
    "deploying": deploying.rows,
    "swapping": swapping.rows,
    "crowd": crowd.rows,
    "many": many.rows,
    "urls": urls.rows,
    "caddy": caddy.rows,
    "starting": starting.rows,
    "listing": listing.rows,
    "signing_in": signing_in.rows,
}


def main() -> None:
    asked = argparse.ArgumentParser(prog="./build.sh bench", description=__doc__)
    asked.add_argument("names", nargs="*", choices=[*BENCHES, []], help="which; all when left out")
    asked.add_argument("--runs", type=int, default=5, help="runs of each, of which the median counts")
    given = asked.parse_args()
    found: list[Row] = []
    for name in given.names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="homeport-bench-") as folder:
            print(f"{name} …", file=sys.stderr, flush=True)
            found += BENCHES[name](Path(folder), given.runs)
    now = datetime.now(UTC)
    print(f"{now:%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, medians of {given.runs}")
    print(table(found))


if __name__ == "__main__":
    main()
