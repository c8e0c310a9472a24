"""Certificates of URLs, and the internal CA."""

import time
from collections.abc import Mapping

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import CertificateData

LOOK_EVERY = 1.0


class Certificates(Connection):
    def certificate(self, host: str) -> CertificateData:
        return self.get(CertificateData, path_of("urls", host, "certificate"))

    def set_certificate(self, host: str, wish: Mapping[str, object]) -> CertificateData:
        return self.post(CertificateData, path_of("urls", host, "certificate"), wish, "PUT")

    def remove_certificate(self, host: str) -> CertificateData:
        return self.post(CertificateData, path_of("urls", host, "certificate"), {}, "DELETE")

    def renew_certificate(self, host: str) -> CertificateData:
        return self.post(CertificateData, path_of("urls", host, "certificate", "renew"), {})

    def settled_certificate(self, host: str, patience: float) -> CertificateData:
        """Once it is in force, or could not be obtained; as it stands by then, if that takes longer."""
        ends = time.monotonic() + patience
        while (found := self.certificate(host))["status"] in ("waiting", "pending") and time.monotonic() < ends:
            time.sleep(LOOK_EVERY)
        return found

    def internal_root(self) -> str:
        """As PEM."""
        with self.sent("GET", path_of("ca")) as answer:
            return answer.read().decode("ascii")
