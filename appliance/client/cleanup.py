"""Cleaning up."""

from appliance.client.connection import Connection
from appliance.client.shapes import CleanupData


class Cleanup(Connection):
    def would_free(self) -> CleanupData:
        return self.get(CleanupData, "/cleanup")

    def clean_up(self) -> CleanupData:
        return self.post(CleanupData, "/cleanup", {})
