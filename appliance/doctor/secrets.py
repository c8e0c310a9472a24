"""The files that nobody but Homeport may read."""

import stat
from pathlib import Path

from appliance.machine.trust import keeper, user_name
from appliance.model.checks import Check

DATABASE = ("homeport.db", "homeport.db-wal", "homeport.db-shm")


def checks(data: Path) -> list[Check]:
    if not data.is_dir():
        return []
    key, database = data / "secret.key", data / "homeport.db"
    if not key.exists() and not database.exists():
        return [Check("secret.key", "off", "There is no secret key yet; the first start makes one.")]
    if not key.exists():
        mend = "Restore it from a backup; without it, saved secrets can't be read and everyone has to sign in again."
        return [Check("secret.key", "failed", f"{key} is missing, though there is a database.", mend), _database(data)]
    return [_closed("secret.key", key, keeper(data)), _database(data)]


def _database(data: Path) -> Check:
    files = [data / name for name in DATABASE if (data / name).exists()]
    if not files:
        return Check("homeport.db", "off", "There is no database yet; the first start makes one.")
    looked = [_closed("homeport.db", file, keeper(data)) for file in files]
    return next((check for check in looked if check.status != "ok"), looked[0])


def _closed(name: str, file: Path, uid: int) -> Check:
    """A plain file of the right user that nobody else may read or write."""
    found = file.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        return Check(name, "failed", f"{file} is not a plain file.", "Put the file itself in its place.")
    if found.st_uid != uid:
        mend = f"As root: `chown {user_name(uid)} {file}`."
        return Check(name, "failed", f"{file} belongs to {user_name(found.st_uid)}, not to {user_name(uid)}.", mend)
    if mode & 0o077:
        return Check(name, "failed", f"Other users may read {file} (mode {mode:04o}).", f"`chmod 0600 {file}`.")
    return Check(name, "ok", f"Only {user_name(uid)} may read {file}.")
