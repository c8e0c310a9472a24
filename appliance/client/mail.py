"""E-mail: trying the settings."""

from appliance.client.connection import Connection
from appliance.client.shapes import CheckData, Page


class Mail(Connection):
    def test_mail(self, to: str = "") -> Page[CheckData]:
        return self.post(Page[CheckData], "/mail/test", {"to": to} if to else {})
