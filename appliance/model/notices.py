"""What is told to somebody elsewhere: an event, kept as it was when it happened."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Self
from urllib.parse import quote

TEST = "test"


@dataclass(frozen=True)
class Kind:
    """One kind of event: what it says, and how it is meant."""

    title: str
    about: str
    tone: str  # `good`, `bad` or `asks`
    of_project: bool = True


EVENTS: Mapping[str, Kind] = {
    "deployment.live": Kind("{project} {subject} is live in {environment}", "A deployment went live", "good"),
    "deployment.failed": Kind("{project} {subject} failed in {environment}", "A deployment failed", "bad"),
    "deployment.waiting": Kind(
        "{project} {subject} waits for approval in {environment}", "A deployment waits for approval", "asks"
    ),
    "deployment.expire": Kind(
        "{project} {subject} was not approved in time", "Nobody approved a deployment in time", "bad"
    ),
    "url.active": Kind("{subject} is active", "A URL became active", "good"),
    "url.failed": Kind("{subject} failed", "A URL failed", "bad"),
    "url.left_behind": Kind("{subject} could not be taken away whole", "Something of a URL was left behind", "bad"),
    "url.edited": Kind("The NGINX file of {subject} was edited by hand", "An NGINX file was edited by hand", "asks"),
    "certificate.failed": Kind("No certificate for {subject}", "A certificate can't be had or renewed", "bad"),
    "certificate.ending": Kind("The certificate of {subject} is about to end", "A certificate is near its end", "bad"),
    "backup.failed": Kind("A backup failed", "A backup failed", "bad", of_project=False),
    "activity.cut": Kind(
        "The record of activity was tampered with", "The record of activity was cut", "bad", of_project=False
    ),
    "homeport.upgrade_failed": Kind("The upgrade to {subject} failed", "An upgrade failed", "bad", of_project=False),
}
USUAL = (
    "deployment.failed",
    "deployment.waiting",
    "url.failed",
    "certificate.failed",
    "certificate.ending",
    "backup.failed",
    "activity.cut",
)
_TEST = Kind("A test from Homeport", "A test", "good", of_project=False)


@dataclass(frozen=True)
class Notice:
    event: Annotated[str, "What happened, such as `deployment.failed`; `test` for a test"]
    at: str
    subject: Annotated[str, "To what, such as `#12` or `www.example.com`"]
    project: str | None
    environment: str | None
    deployment: Annotated[str | None, "The id of the deployment that it is about"]
    actor: Annotated[str, "Who did it"]
    detail: Annotated[str, "Why, in words; empty where there is nothing to say"] = ""

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def kind(self) -> Kind:
        return EVENTS.get(self.event, _TEST)

    @property
    def title(self) -> str:
        values = {"project": self.project or "", "environment": self.environment or "", "subject": self.subject}
        return self.kind.title.format(**values)

    @property
    def path(self) -> str:
        """The page of ours that it is about."""
        if self.deployment:
            return f"/deployments/{self.deployment}"
        first = self.event.partition(".")[0]
        host = quote(self.subject.encode("ascii", "ignore")[:253], safe="")
        pages = {
            "url": f"/urls/{host}",
            "certificate": f"/urls/{host}",
            "backup": "/settings/backups",
            "activity": "/activity",
        }
        return pages.get(first, "/settings")


def example(event: str, at: str) -> Notice:
    """For looking at what would be sent."""
    first = event.partition(".")[0]
    subject = {"deployment": "#12", "url": "www.example.com", "certificate": "www.example.com"}.get(first, event)
    why = {"bad": "This is an example: nothing happened."}.get(EVENTS[event].tone, "") if event in EVENTS else ""
    if not EVENTS.get(event, _TEST).of_project:
        return Notice(event, at, subject, None, None, None, "Homeport", why)
    deployment = "00000000000000000000" if first == "deployment" else None
    return Notice(event, at, subject, "blog", "production", deployment, "Homeport", why)
