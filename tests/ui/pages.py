"""A page as a test reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urlsplit

import httpx

from tests.appliance import EMAIL, PASSWORD, Appliance

Attrs = dict[str, str]


@dataclass
class Form:
    attrs: Attrs
    fields: list[Attrs] = field(default_factory=list)


class Parsed(HTMLParser):
    """Elements with their attributes, forms with their fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attrs]] = []
        self.forms: list[Form] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        self.elements.append((tag, got))
        if tag == "form":
            self.forms.append(Form(got))
        elif tag in ("input", "select", "textarea", "button") and self.forms:
            self.forms[-1].fields.append(got)

    def all(self, *tags: str) -> list[Attrs]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]

    def links(self) -> Iterator[str]:
        """Addresses on this appliance that the page leads to."""
        for attrs in self.all("a", "link", "script"):
            address = urldefrag(attrs.get("href") or attrs.get("src") or "").url
            if address and not urlsplit(address).netloc:
                yield address


def owner_of(server: Appliance) -> httpx.Client:
    """A browser without script, signed in."""
    client = httpx.Client(
        base_url=server.url, timeout=30, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    )
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def stranger_of(server: Appliance) -> httpx.Client:
    return httpx.Client(
        base_url=server.url, timeout=30, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    )
