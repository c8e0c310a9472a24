"""Put a backup back: read and checked whole beside what is here, then in place by one rename."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from appliance.access import chain
from appliance.backups import form
from appliance.backups.write import SECRETS
from appliance.errors import BadBackup, Conflict
from appliance.machine import clock, faults, files, keyring, sealing
from appliance.machine.shelf import Shelf
from appliance.machine.tar import Member, Reader
from appliance.model import manifests
from appliance.model.fields import SHA256
from appliance.settings import SECRETS as SECRET_SETTINGS
from appliance.store import copies, saved, sealed

BESIDE = ".restore"  # being read and checked
WHOLE = "restored"  # checked; goes in place now or on the next start
FOLDERS = ("bundles", "files", "logs")
DATABASE = "homeport.db"
OURS = {"backups", "earlier", "incoming", "lock", "lost+found", "nginx", "nginx-wanted", "releases", "runtime", "sites"}
OURS |= {*FOLDERS, *SECRETS, keyring.NEXT, BESIDE, "gone", "setup-link", "uploads", "upgrade.sock", chain.NAME}


@dataclass(frozen=True)
class Came:
    """What came out of a backup."""

    made_at: str
    version: str
    bundles: int
    left_out: tuple[str, ...]
    to_enter: tuple[str, ...]  # secret settings that can't be read without the keys


def refuse_used(data: Path) -> None:
    """A restore never mixes with what is here."""
    finish(data)
    if (data / DATABASE).exists():
        with copies.opened(data / DATABASE) as db:
            if not copies.in_use(db):
                return
        raise _used(f"A Homeport is set up in {data} already.")
    there = {one.name for one in data.iterdir()} if data.exists() else set()
    strange = sorted(there - OURS) or [name for name in ("bundles", "releases") if any((data / name).glob("*/*"))]
    if strange:
        raise _used(f"{data} is not empty: it holds {', '.join(strange[:5])}.")


def take_in(
    source: BinaryIO,
    data: Path,
    *,
    passphrase: str = "",
    without_keys: bool = False,
    claim: Callable[[], None] = lambda: None,
) -> Came:
    """Read all of it and check all of it. With the rename, once `claim` lets it, it is what this folder becomes."""
    beside = data / BESIDE
    with files.refusals():
        files.remove_tree(beside)
        beside.mkdir(mode=0o700)
        try:
            done = _Taking(beside, passphrase, without_keys).all(source)
            files.sync_disk(beside)
            faults.point("restore")
            claim()
            beside.rename(data / WHOLE)
        except BaseException:
            files.remove_tree(beside)
            raise
        files.sync_folder(data)
    return done


def finish(data: Path) -> bool:
    """Put in place what was checked; can be broken off and begun again anywhere. Says whether there was anything."""
    whole = data / WHOLE
    files.remove_tree(data / BESIDE)
    if not whole.exists():
        return False
    for name in FOLDERS:
        if (whole / name).exists():
            files.remove_tree(data / name)
            (whole / name).rename(data / name)
        faults.point(f"restore {name}")
    for name in SECRETS:
        if (whole / name).exists():
            (whole / name).replace(data / name)
    faults.point("restore database")
    if (whole / DATABASE).exists():
        for beside in ("-wal", "-shm"):
            (data / f"{DATABASE}{beside}").unlink(missing_ok=True)
        (data / "setup-link").unlink(missing_ok=True)
        chain.mark_restored(data)
        (whole / DATABASE).replace(data / DATABASE)
    files.sync_folder(data)
    files.remove_tree(whole)
    return True


@dataclass
class _Taking:
    beside: Path
    passphrase: str
    without_keys: bool
    info: form.Info | None = None
    text_of_info: bytes = b""
    left_out: list[str] = field(default_factory=list)

    def all(self, source: BinaryIO) -> Came:
        self._make_folders()
        tar = Reader(source, aside=self.beside)
        try:
            for member in tar.members():
                self._one(member)
        finally:
            tar.close()
        if self.info is None or not (self.beside / DATABASE).exists():
            raise form.no_backup()
        return self._checked(self.info)

    def _make_folders(self) -> None:
        for name in ("bundles", "logs"):
            (self.beside / name).mkdir(mode=0o700)
        (self.beside / "files").mkdir(mode=0o755)
        self.shelf = Shelf(self.beside / "files")
        self.shelf.make()

    def _one(self, member: Member) -> None:
        """Only names that a backup has are taken, so none can lead anywhere else."""
        if self.info is None:
            self._about(member)
        elif found := form.NAMED.fullmatch(member.name):
            self._named(member, found[1], found[2], found[3] or "")
        elif form.LOG.fullmatch(member.name):
            _write(self.beside / member.name, member.chunks)
        elif member.name == form.KEYS:
            self._keys(_small(member))
        elif member.name == form.LEFT_OUT:
            self.left_out = _texts(_small(member))
        elif member.name == form.DATABASE:
            _write(self.beside / DATABASE, _unpacked(member.chunks))
        else:
            raise BadBackup(f"The backup holds {member.name!r}, which no backup has.", code="damaged")

    def _about(self, member: Member) -> None:
        if member.name != form.INFO:
            raise form.no_backup()
        self.text_of_info = _small(member)
        self.info = form.Info.parse(self.text_of_info)
        if not set(self.info.form) <= copies.known_form():
            raise form.newer(self.info.homeport)
        if self.info.keys and not self.passphrase and not self.without_keys:
            raise BadBackup(
                "This backup holds keys, which a passphrase opens.",
                code="no_passphrase",
                todo=("Give the passphrase that it was made with, or restore without the keys.",),
            )

    def _named(self, member: Member, short: str, sha256: str, suffix: str) -> None:
        content = member.name.startswith("files/")
        if short != sha256[:2] or content != (suffix == ""):
            raise BadBackup(f"The backup holds {member.name!r}, which no backup has.", code="damaged")
        place = self.beside / member.name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        found = _write(place, member.chunks)
        if suffix != ".json" and found != sha256:
            raise BadBackup(f"{member.name} in the backup is not what its name says.", code="damaged")
        if content:
            self.shelf.adopt(place, sha256)

    def _keys(self, text: bytes) -> None:
        if self.without_keys:
            return
        opened = json.loads(sealing.unlock(self.passphrase, text, bound_to=self.text_of_info))
        for name in SECRETS:
            _write(self.beside / name, [bytes.fromhex(opened[name])])

    def _checked(self, info: form.Info) -> Came:
        """The database is sound, and what it names is there."""
        with copies.opened(self.beside / DATABASE) as db:
            if copies.flaw(db) or not set(copies.form(db)) <= copies.known_form():
                raise BadBackup(f"The database in the backup is damaged: {copies.flaw(db)}.", code="damaged")
            held = copies.bundles(db)
            missing = [sha256 for sha256, _ in held if not self._has(sha256)]
            if set(missing) - set(self.left_out):
                raise BadBackup(
                    f"The backup lacks {len(missing)} of its bundles, such as {missing[0][:12]}.", code="damaged"
                )
            copies.settle(db, clock.text(clock.now()))
            to_enter: tuple[str, ...] = ()
            if not self._has_keys(sealed.key_of(db)):
                to_enter = tuple(sorted(set(saved.values(db)) & set(SECRET_SETTINGS)))
                sealed.forget_keys(db)
        return Came(info.made_at, info.homeport, len(held) - len(missing), tuple(missing), to_enter)

    def _has(self, sha256: str) -> bool:
        """As a zip, or as a list of files whose contents are all here."""
        file = self.beside / "bundles" / sha256[:2] / sha256
        listed = file.with_suffix(".json")
        if listed.exists():
            return not self.shelf.missing(_contents(listed))
        return file.with_suffix(".zip").exists()

    def _has_keys(self, wanted: str | None) -> bool:
        """Without the keys of the old host the new one gets keys of its own."""
        found = [one.id for one in keyring.there(self.beside)]
        if found and wanted not in (None, *found):
            raise BadBackup("The key in the backup is not the one of its database.", code="damaged")
        if not found:
            _write(self.beside / keyring.NAME, [sealing.new_master().secret])
        return bool(found)


def _contents(listed: Path) -> set[str]:
    """What a bundle that was deployed file by file is made of; a path in it that leaves its release is refused."""
    try:
        manifest = manifests.read(listed.read_bytes())
        good = all(_stays(path) and SHA256.fullmatch(piece.sha256) for path, piece in manifest.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        good, manifest = False, {}
    if not good:
        raise BadBackup(f"The backup holds {listed.name}, which is no list of files.", code="damaged")
    return {piece.sha256 for piece in manifest.values()}


def _stays(path: str) -> bool:
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def _write(path: Path, chunks: Iterable[bytes]) -> str:
    """A new file; says its SHA-256."""
    digest = hashlib.sha256()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as why:
        raise BadBackup(f"The backup holds {path.name} twice.", code="damaged") from why
    with open(handle, "wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _small(member: Member) -> bytes:
    if member.size > form.SMALL:
        raise form.no_backup()
    return b"".join(member.chunks)


def _texts(text: bytes) -> list[str]:
    try:
        return [str(one) for one in json.loads(text)]
    except (ValueError, TypeError) as why:
        raise form.no_backup() from why


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packed = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            left = chunk
            while left and not packed.eof:
                yield packed.decompress(left, 1 << 20)
                left = packed.unconsumed_tail
    except zlib.error as why:
        raise BadBackup("The database in the backup can't be unpacked.", code="damaged") from why
    if not packed.eof:
        raise BadBackup("The database in the backup is not whole.", code="damaged")


def _used(text: str) -> Conflict:
    todo = "Restore into an empty folder: name another with --data."
    return Conflict(f"{text} Nothing was restored.", code="in_use", todo=(todo,))
