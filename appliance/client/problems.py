"""What can go wrong between here and the server, in words."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from appliance.client.shapes import DeploymentData
from appliance.errors import HomeportError


class ClientError(HomeportError):
    """The server said no; everything that it said of why is here."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"The server answered {status}.")
        super().__init__(
            detail,
            code=str(problem.get("type", "")).removeprefix("urn:homeport:") or "refused",
            todo=tuple(str(step) for step in problem.get("todo") or ()),
            said=str(problem.get("said") or ""),
        )
        self.status = status
        self.title = str(problem.get("title") or "")
        self.errors: dict[str, str] = dict(problem.get("errors") or {})
        self.deployment: DeploymentData | None = problem.get("deployment")
        self.ticket = str(problem.get("ticket") or "")  # of half a session
        self.missing: list[str] = list(problem.get("missing") or ())


class Unreachable(HomeportError):
    """Nothing of ours answered at the address, or the connection broke."""

    status = 503
    code = "unreachable"
    title = "Not reachable"


def read_json(server: str, answer: httpx.Response) -> Any:
    text = answer.read()
    try:
        return json.loads(text) if text else None
    except ValueError as why:
        raise Unreachable(f"What answers at {server} is not Homeport.", todo=("Check the address.",)) from why


def refusal(server: str, answer: httpx.Response) -> HomeportError:
    if answer.has_redirect_location:
        return Unreachable(
            f"{server} sends us on to {answer.headers['location']}.", todo=("Use that address as the server.",)
        )
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return ClientError(answer.status_code, problem)
    return Unreachable(
        f"{server} answered {answer.status_code} {answer.reason_phrase}, but not as Homeport does.",
        todo=("Check the address, and whether Homeport is running behind it.",),
    )


def unreachable(server: str, why: httpx.TransportError) -> Unreachable:
    said = str(why) or type(why).__name__
    if isinstance(why, httpx.TimeoutException) and not isinstance(why, httpx.ConnectTimeout):
        return Unreachable(f"{server} took too long to answer.", todo=("Try again in a while.",), said=said)
    if isinstance(why, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        todo = "Check the address, and whether the server is running."
        if "CERTIFICATE" in said:
            todo = "Add its authority to this machine's certificates, or name the file in SSL_CERT_FILE."
        return Unreachable(f"Could not reach {server}: {said}.", todo=(todo,), said=said)
    return Unreachable(f"The connection to {server} broke: {said}.", todo=("Run the same command again.",), said=said)
