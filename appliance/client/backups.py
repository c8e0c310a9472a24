"""Backups that the server takes."""

from collections.abc import Iterator

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import BackupData, Page


class Backups(Connection):
    """What was taken, by itself or when it was asked for."""

    def backups(self, limit: int | None = None) -> Page[BackupData]:
        return self.listed(BackupData, "/backups", limit)

    def backup(self, backup_id: str) -> BackupData:
        return self.get(BackupData, path_of("backups", backup_id))

    def create_backup(self) -> BackupData:
        return self.post(BackupData, "/backups", {})

    def delete_backup(self, backup_id: str) -> None:
        self.ask("DELETE", path_of("backups", backup_id))

    def download_backup(self, backup_id: str) -> Iterator[bytes]:
        with self.sent("GET", path_of("backups", backup_id, "download")) as answer:
            yield from answer.iter_raw(1 << 20)
