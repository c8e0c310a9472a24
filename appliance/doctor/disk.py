"""Room on the disk: bytes, and the number of files that it can still take."""

import os
from pathlib import Path

from appliance.doctor.folders import nearest
from appliance.model.checks import Check

LEAST_BYTES = 1024**3
FULL_BYTES = 64 * 1024**2
LEAST_FILES = 10_000
LEAST_SHARE = 0.05
MEND = "Delete projects and deployments that nobody needs, or give the disk more room."


def checks(data: Path) -> list[Check]:
    found = os.statvfs(nearest(data))
    return [
        bytes_left(data, free=found.f_bavail * found.f_frsize, total=found.f_blocks * found.f_frsize),
        files_left(data, free=found.f_favail, total=found.f_files),
    ]


def bytes_left(data: Path, *, free: int, total: int) -> Check:
    text = f"{_size(free)} free of {_size(total)} in {data}."
    if free < FULL_BYTES:
        return Check("disk.bytes", "failed", f"The disk is full: {text}", MEND)
    if free < LEAST_BYTES or free < total * LEAST_SHARE:
        return Check("disk.bytes", "warn", text, MEND)
    return Check("disk.bytes", "ok", text)


def files_left(data: Path, *, free: int, total: int) -> Check:
    """Some file systems make room for files as they go and count none: they say zero of zero."""
    if total == 0:
        return Check("disk.files", "off", f"The file system of {data} sets no limit on the number of files.")
    text = f"{free:,} more files can be made of {total:,} in {data}."
    if free == 0:
        return Check("disk.files", "failed", f"The disk can take no more files: {text}", MEND)
    if free < LEAST_FILES or free < total * LEAST_SHARE:
        return Check("disk.files", "warn", text, MEND)
    return Check("disk.files", "ok", text)


def _size(count: float) -> str:
    """Decimal, one decimal under a hundred, as everywhere in Homeport."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if count < 100 and unit != "bytes" else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
