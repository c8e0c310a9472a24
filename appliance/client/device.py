"""Signing in at a terminal by a yes in the browser."""

import time

from appliance.client.connection import Connection
from appliance.client.problems import ClientError, Unreachable
from appliance.client.shapes import BegunData, KeyData

SLOWER = 5  # seconds more between two questions, where the server says so


class Device(Connection):
    """A code is shown, somebody says yes to it, and a key is there."""

    def begin_login(self, device: str, account: str) -> BegunData:
        return self.post(BegunData, "/device", {"device": device, "account": account})

    def await_key(self, begun: BegunData) -> KeyData:
        """Asks now and then until there is an answer; a no, or the end of it, is a ClientError."""
        wait, end = float(begun["interval"]), time.monotonic() + begun["expires_in"]
        while True:
            time.sleep(wait)
            try:
                return self.post(KeyData, "/device/token", {"device_code": begun["device_code"]})
            except Unreachable:
                if time.monotonic() > end:
                    raise
                wait += SLOWER
            except ClientError as why:
                if why.code == "slow_down":
                    wait += SLOWER
                elif why.code != "authorization_pending":
                    raise
