"""A data folder as the first version left it: releases named by their bundles, no rules, no contents of their own."""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlite_utils import Database as Tools

from appliance.machine import clock
from appliance.store.migrations import migrations
from tests.appliance import Files, zipped
from tests.servers import Nginx

AT = "2026-01-02T03:04:05.678Z"
_SITE = """\
# Made by Homeport. Edits to this file are replaced: change the URL in Homeport instead.
server {{
    listen 127.0.0.1:{port};
    server_name {host};
    root {root};
    etag on;
    add_header Cache-Control no-cache always;
    location / {{
        try_files $uri ${{uri}}index.html /200.html =404;
    }}
}}
"""
FOLDERS = ("bundles", "incoming", "logs", "backups", "releases", "sites", "nginx")


class Before:
    """Fill it, then start a Homeport on it. Its owner is still to be set up."""

    def __init__(self, data: Path, backend: str = "builtin") -> None:
        self.data, self.backend = data, backend
        self._bundles: dict[tuple[tuple[str, str | bytes], ...], bytes] = {}
        data.mkdir(mode=0o711)
        for name in FOLDERS:
            (data / name).mkdir()
        (data / "secret.key").write_bytes(bytes(32))
        (data / "secret.key").chmod(0o600)
        self.database = sqlite3.connect(data / "homeport.db", isolation_level=None)
        migrations.apply(Tools(self.database), stop_before="m002_engine")

    def site(self, project: str, versions: Sequence[Files]) -> list[str]:
        """Deployed one after the other, the last of them is live; says what each deployment is called."""
        tools = Tools(self.database)
        tools.table("projects").insert({"name": project, "created_at": AT, "created_by": "me"})
        return self.environment(project, "production", versions)

    def environment(self, project: str, name: str, versions: Sequence[Files]) -> list[str]:
        tools = Tools(self.database)
        (row,) = tools.table("projects").rows_where("name = ?", [project])
        place = {"project_id": row["id"], "name": name, "backend": self.backend, "created_at": AT}
        place_id = int(str(tools.table("environments").insert(place).last_pk))
        known = tools.table("deployments").count_where("project_id = ?", [row["id"]])
        made, bundle = [], ""
        for number, files in enumerate(versions, known + 1):
            made.append(clock.new_id())
            bundle = self._release(files)
            place = {"id": made[-1], "number": number, "project_id": row["id"], "environment_id": place_id}
            self._deployment(place, bundle, len(files))
        tools.table("environments").update(place_id, {"live": made[-1]})
        tools.table("projects").update(row["id"], {"last_number": known + len(versions)})
        pointer = self.data / "sites" / project / name
        pointer.parent.mkdir(exist_ok=True)
        pointer.symlink_to(f"../../releases/{bundle}")
        return made

    def rolled_back(self, deployment: str, origin: str) -> None:
        Tools(self.database).table("deployments").update(deployment, {"source": "rollback", "origin": origin})

    def url(self, host: str, project: str, nginx: Nginx) -> None:
        """In force, by a file of the old form for the production of a project."""
        file = self.data / "nginx" / f"{host}.conf"
        root = self.data / "sites" / project / "production"
        file.write_text(_SITE.format(port=nginx.port, host=host, root=root))
        for folder in (nginx.sites_available, nginx.sites_enabled):
            (folder / f"homeport-{file.name}").symlink_to(file)
        tools = Tools(self.database)
        (row,) = tools.table("projects").rows_where("name = ?", [project])
        (place,) = tools.table("environments").rows_where("project_id = ? AND name = 'production'", [row["id"]])
        states = {"nginx": '["ok", "In force", ""]', "dns": '["none", "Not managed", ""]', "status": "active"}
        facts = {"host": host, "environment_id": place["id"], "created_at": AT, "created_by": "me"}
        tools.table("urls").insert({**facts, **states})

    def close(self) -> Path:
        self.database.close()
        return self.data

    def _release(self, files: Files) -> str:
        """Bundle, tree and manifest as they were then; the same files are the same bundle."""
        bundle = self._bundles.setdefault(tuple(files.items()), zipped(files))
        sha256 = hashlib.sha256(bundle).hexdigest()
        raw = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        file = self.data / "bundles" / sha256[:2] / f"{sha256}.zip"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bundle)
        for path, content in raw.items():
            place = self.data / "releases" / sha256 / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        pieces = {path: [len(content), zlib.crc32(content)] for path, content in raw.items()}
        (self.data / "releases" / f"{sha256}.json").write_text(json.dumps({"files": pieces}))
        facts = {"size": len(bundle), "files": len(raw), "unpacked": sum(map(len, raw.values())), "filename": ""}
        row = {"sha256": sha256, **facts, "created_at": AT, "created_by": "me"}
        bundles = Tools(self.database).table("bundles")
        if not bundles.count_where("sha256 = ?", [sha256]):
            bundles.insert(row)
        return sha256

    def _deployment(self, place: Mapping[str, object], bundle: str, files: int) -> None:
        facts = {"status": "succeeded", "source": "upload", "bundle": bundle, "size": 1, "files": files, "steps": "[]"}
        who = {"created_by": "me", "created_at": AT, "started_at": AT, "finished_at": AT}
        Tools(self.database).table("deployments").insert({**place, **facts, **who})
