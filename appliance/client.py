"""Homeport's API from the outside: the one client of the command line, the tests and scripts."""

import ipaddress
import json
import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, NotRequired, Self, TypedDict, TypeVar
from urllib.parse import quote, urlsplit

import httpcore
import httpx

from appliance import __version__
from appliance.errors import BadRequest, HomeportError, NotFound

T = TypeVar("T")
MOST = 200  # rows that the API puts on one page
PAUSES = (0.2, 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8, 8)  # seconds between tries to take a lost log up again
READING_LOG = 60  # seconds without a sign of life after which a log's connection counts as lost
TAKING_IN = 600  # seconds that a server may take over an upload once it has all of it


class Page(TypedDict, Generic[T]):
    items: list[T]
    next: str | None


class SessionData(TypedDict):
    token: str
    expires_at: str
    person: NotRequired[dict[str, str]]  # of a set-up


class Made(TypedDict):
    created_at: str
    created_by: str


class MeData(TypedDict):
    id: str
    email: str
    role: str
    kind: str
    name: str
    permissions: list[str]


class KeyData(TypedDict):
    id: str
    name: str
    prefix: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_used_from: str | None
    key: NotRequired[str]  # of a new one


class ProjectData(Made):
    name: str
    address: str
    environments: list[str]


class FreesData(TypedDict):
    environments: list[str]
    stops_answering: list[str]
    deployments: int
    bundles_kept: int


class StepData(TypedDict):
    name: str
    status: str
    started_at: str | None
    finished_at: str | None
    detail: str


class FailureData(TypedDict):
    code: str
    detail: str
    todo: list[str]
    said: str


class DeploymentData(Made):
    id: str
    number: int
    project: str
    environment: str
    status: str
    live: bool
    source: str
    origin: str | None
    bundle: str
    size: int
    files: int
    steps: list[StepData]
    error: FailureData | None
    overtaken_by: str | None
    address: str
    started_at: str | None
    finished_at: str | None


class PartData(TypedDict):
    status: str
    detail: str
    note: str


class UrlData(Made):
    host: str
    project: str
    environment: str
    status: str
    error: str | None
    nginx: PartData
    dns: PartData
    proxied: bool | None


class EnvironmentData(TypedDict):
    name: str
    project: str
    backend: str
    address: str
    live: DeploymentData | None
    urls: list[UrlData]
    created_at: str


class BundleData(Made):
    sha256: str
    size: int
    files: int
    unpacked: int
    filename: str


class ActivityData(TypedDict):
    id: int
    at: str
    actor: str
    actor_kind: str
    verb: str
    subject: str
    project: str | None
    environment: str | None
    deployment: str | None


class LogLine(TypedDict):
    number: int
    at: str
    step: str
    level: str
    text: str


@dataclass(frozen=True)
class Upload:
    """A zip on its way: its bytes, and as much of its size and name as is known beforehand."""

    body: Iterable[bytes]
    size: int | None = None
    filename: str = ""

    def headers(self) -> dict[str, str]:
        found = {"Content-Type": "application/zip"}
        if self.size is not None:
            found["Content-Length"] = str(self.size)
        if self.filename:
            plain = re.sub(r"[^ !#-\[\]-~]", "_", self.filename)
            exact = quote(self.filename, safe="")
            found["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
        return found


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


class Unreachable(HomeportError):
    """Nothing of ours answered at the address, or the connection broke."""

    status = 503
    code = "unreachable"
    title = "Not reachable"


class Client:
    """Speaks to one server as one person or key."""

    def __init__(self, server: str, key: str = "", *, timeout: float = 30) -> None:
        self.server = server_url(server)
        self._headers = {"User-Agent": f"homeport/{__version__}", "Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._timeout = timeout
        self._http = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def setup(self, token: str, email: str, password: str) -> SessionData:
        return self._post(SessionData, "/setup", {"token": token, "email": email, "password": password})

    def login(self, email: str, password: str) -> SessionData:
        return self._post(SessionData, "/login", {"email": email, "password": password})

    def logout(self) -> None:
        self._ask("POST", "/logout")

    def me(self) -> MeData:
        return self._get(MeData, "/me")

    def keys(self, limit: int | None = None) -> Page[KeyData]:
        return self._list(KeyData, "/keys", limit)

    def create_key(self, name: str, expires_at: str | None = None) -> KeyData:
        """The answer holds the key itself, this once."""
        return self._post(KeyData, "/keys", _given(name=name, expires_at=expires_at))

    def delete_key(self, key_id: str) -> None:
        self._ask("DELETE", _path("keys", key_id))

    def projects(self, q: str | None = None, limit: int | None = None) -> Page[ProjectData]:
        return self._list(ProjectData, "/projects", limit, q=q)

    def project(self, name: str) -> ProjectData:
        return self._get(ProjectData, _path("projects", name))

    def create_project(self, name: str) -> ProjectData:
        return self._post(ProjectData, "/projects", {"name": name})

    def rename_project(self, name: str, new: str) -> ProjectData:
        return self._post(ProjectData, _path("projects", name), {"name": new}, "PATCH")

    def delete_project(self, name: str) -> None:
        self._ask("DELETE", _path("projects", name))

    def frees(self, project: str) -> FreesData:
        """What deleting it would free."""
        return self._get(FreesData, _path("projects", project, "frees"))

    def environments(self, project: str, limit: int | None = None) -> Page[EnvironmentData]:
        return self._list(EnvironmentData, _path("projects", project, "environments"), limit)

    def environment(self, project: str, name: str) -> EnvironmentData:
        return self._get(EnvironmentData, _place(project, name))

    def create_environment(self, project: str, name: str, backend: str | None = None) -> EnvironmentData:
        path = _path("projects", project, "environments")
        return self._post(EnvironmentData, path, _given(name=name, backend=backend))

    def change_environment(
        self, project: str, name: str, *, new: str | None = None, backend: str | None = None
    ) -> EnvironmentData:
        return self._post(EnvironmentData, _place(project, name), _given(name=new, backend=backend), "PATCH")

    def delete_environment(self, project: str, name: str) -> None:
        self._ask("DELETE", _place(project, name))

    def deploy(self, project: str, environment: str, upload: Upload, *, wait: float | None = None) -> DeploymentData:
        """Stream a zip up. A server that says no while bytes are still going out is heard."""
        line = _Line()
        with self._connected() as http:  # a connection of its own, so that the line is seen when it is made
            return self._shaped(
                DeploymentData,
                "POST",
                _place(project, environment, "deployments"),
                params=_given(wait=wait),
                content=line.until_answered(upload.body),
                headers=upload.headers(),
                timeout=httpx.Timeout(self._timeout, read=TAKING_IN + (wait or 0)),
                extensions={"trace": line.trace},
                http=http,
            )

    def deploy_bundle(
        self, project: str, environment: str, sha256: str, *, wait: float | None = None
    ) -> DeploymentData:
        """Deploy something that the server has already."""
        return self._waited(DeploymentData, _place(project, environment, "deployments"), {"bundle": sha256}, wait)

    def rollback(
        self, project: str, environment: str, to: str | None = None, *, wait: float | None = None
    ) -> DeploymentData:
        return self._waited(DeploymentData, _place(project, environment, "rollback"), _given(to=to), wait)

    def promote(self, project: str, environment: str, from_: str, *, wait: float | None = None) -> DeploymentData:
        return self._waited(DeploymentData, _place(project, environment, "promote"), {"from": from_}, wait)

    def deployments(
        self,
        project: str | None = None,
        environment: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> Page[DeploymentData]:
        asked = {"project": project, "environment": environment, "status": status}
        return self._list(DeploymentData, "/deployments", limit, **asked)

    def deployment(self, deployment_id: str) -> DeploymentData:
        return self._get(DeploymentData, _path("deployments", deployment_id))

    def cancel(self, deployment_id: str) -> DeploymentData:
        return self._shaped(DeploymentData, "POST", _path("deployments", deployment_id, "cancel"))

    def log(self, deployment_id: str) -> str:
        """The log as far as it has come."""
        with self._sent("GET", _path("deployments", deployment_id, "log"), headers={"Accept": "text/plain"}) as answer:
            return answer.read().decode("utf-8", "replace")

    def follow_log(self, deployment_id: str, *, lost: Callable[[], None] = lambda: None) -> Iterator[LogLine]:
        """Each line as it is written, to the end; a lost connection is taken up where it broke off."""
        path, last, tries = _path("deployments", deployment_id, "log"), "", 0
        while True:
            why = Unreachable(f"{self.server} ends the log before its end.", todo=("Run the same command again.",))
            try:
                for event in self._events(path, last):
                    last, tries = event.id or last, 0
                    if event.name == "end":
                        return
                    if event.name == "line":
                        line: LogLine = json.loads(event.data)
                        yield line
            except Unreachable as broken:
                why = broken
            if tries == 0:
                lost()
            if tries == len(PAUSES):
                raise why
            time.sleep(PAUSES[tries])
            tries += 1

    def urls(self, project: str, environment: str, limit: int | None = None) -> Page[UrlData]:
        return self._list(UrlData, _place(project, environment, "urls"), limit)

    def all_urls(self, limit: int | None = None) -> Page[UrlData]:
        return self._list(UrlData, "/urls", limit)

    def create_url(
        self, project: str, environment: str, host: str, *, proxied: bool | None = None, wait: float | None = None
    ) -> UrlData:
        return self._waited(UrlData, _place(project, environment, "urls"), _given(host=host, proxied=proxied), wait)

    def check_url(self, host: str, *, wait: float | None = None) -> UrlData:
        """Try again to put it in force."""
        return self._waited(UrlData, _path("urls", host, "check"), {}, wait)

    def delete_url(self, project: str, environment: str, host: str) -> None:
        self._ask("DELETE", _place(project, environment, "urls", host))

    def bundle(self, sha256: str) -> BundleData:
        return self._get(BundleData, _path("bundles", sha256))

    def download_bundle(self, sha256: str) -> Iterator[bytes]:
        """The zip, byte for byte as it was uploaded."""
        headers = {"Accept": "application/zip", "Accept-Encoding": "identity"}
        with self._sent("GET", _path("bundles", sha256, "download"), headers=headers) as answer:
            yield from answer.iter_raw(1 << 20)

    def activity(self, limit: int | None = None) -> Page[ActivityData]:
        return self._list(ActivityData, "/activity", limit)

    def healthy(self) -> bool:
        with self._sent("GET", "/healthz", prefix="") as answer:
            return answer.is_success

    def _connected(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.server,
            headers=self._headers,
            timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 10)),
            verify=_trust(self.server),
            trust_env=not is_loopback(self.server),  # a proxy can't lead to this very machine
        )

    def _get(self, shape: type[T], path: str) -> T:
        return self._shaped(shape, "GET", path)

    def _post(self, shape: type[T], path: str, body: Mapping[str, object], method: str = "POST") -> T:
        return self._shaped(shape, method, path, json=body)

    def _waited(self, shape: type[T], path: str, body: Mapping[str, object], wait: float | None) -> T:
        timeout = httpx.Timeout(self._timeout + (wait or 0))
        return self._shaped(shape, "POST", path, json=body, params=_given(wait=wait), timeout=timeout)

    def _list(self, shape: type[T], path: str, limit: int | None, **asked: str | None) -> Page[T]:
        """Up to so many rows, page after page; all of them without a limit."""
        rows: list[T] = []
        cursor: str | None = None
        while True:
            most = MOST if limit is None else min(MOST, limit - len(rows))
            page: Page[T] = self._ask("GET", path, params=_given(**asked, limit=most, cursor=cursor))
            rows += page["items"]
            cursor = page["next"]
            if cursor is None or (limit is not None and len(rows) >= limit):
                return {"items": rows, "next": cursor}

    def _shaped(self, shape: type[T], method: str, path: str, **more: Any) -> T:
        """What is asked for has this shape: the API's docs say so, and nothing here checks again."""
        answer: T = self._ask(method, path, **more)
        return answer

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        with self._sent(method, path, **more) as answer:
            return _json(self.server, answer)

    @contextmanager
    def _sent(
        self, method: str, path: str, *, prefix: str = "/api/v1", http: httpx.Client | None = None, **more: Any
    ) -> Iterator[httpx.Response]:
        """Send a request, raise what went wrong, and hand the answer out still unread."""
        try:
            with (http or self._http).stream(method, f"{prefix}{path}", **more) as answer:
                if answer.status_code >= 300:
                    answer.read()
                    raise _refused(self.server, answer)
                yield answer
        except httpx.TransportError as why:
            raise _unreachable(self.server, why) from why

    def _events(self, path: str, last: str) -> Iterator["_Event"]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if last:
            headers["Last-Event-ID"] = last
        timeout = httpx.Timeout(self._timeout, read=READING_LOG)
        with self._sent("GET", path, headers=headers, timeout=timeout) as answer:
            yield from _parse_events(answer.iter_bytes())


def server_url(text: str) -> str:
    """The one form of a server's address: scheme, host, and the port where it is not the scheme's own."""
    given = text.strip()
    if "://" not in given:
        given = f"{'http' if is_loopback(f'http://{given}') else 'https'}://{given}"
    try:
        url = httpx.URL(given.lower())
    except httpx.InvalidURL:
        url = httpx.URL("")
    odd = re.search(r"[\s\\<>\"'{}|^`%]", url.host) or (url.port or 0) > 65535
    if not url.host or odd or url.scheme not in ("http", "https"):
        raise BadRequest(f"{text!r} is not a server's address.", todo=("Give one such as https://deploy.example.net.",))
    if url.userinfo:
        raise BadRequest("A server's address holds no name or password.", todo=("Leave out what is before the @.",))
    return f"{url.scheme}://{url.netloc.decode()}"


def is_loopback(server: str) -> bool:
    """Whether an address is this very machine."""
    try:
        host = (urlsplit(server).hostname or "").lower()
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Line:
    """The connection of an upload, watched for an answer that comes before the end.

    Without this a refusal would be read only once every byte had been sent. Encrypted connections can't be
    watched: they carry more than answers. There the refusal is read when the server hangs up.
    """

    def __init__(self) -> None:
        self._stream: httpcore.NetworkStream | None = None

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            self._stream = info["return_value"]
        elif name.startswith("connection.start_tls"):
            self._stream = None

    def until_answered(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for piece in body:
            if self._stream and self._stream.get_extra_info("is_readable"):
                raise httpcore.WriteError("answered")  # httpcore then stops sending and reads the answer
            yield piece


@dataclass(frozen=True)
class _Event:
    name: str
    id: str
    data: str


def _parse_events(chunks: Iterable[bytes]) -> Iterator[_Event]:
    """Server-sent events. Only line feeds end a line: a log may hold any other separator as text."""
    fields: dict[str, list[str]] = {}
    for line in _lines(chunks):
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields or "event" in fields:
            name, last = fields.get("event", ["message"])[-1], fields.get("id", [""])[-1]
            yield _Event(name, last, "\n".join(fields.get("data", [])))
        fields = {}


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    left = b""
    for chunk in chunks:
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")


def _trust(server: str) -> ssl.SSLContext:
    """The system's own certificates, so that an authority of one's own network counts; none over plain HTTP."""
    if server.startswith("https:"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _path(*parts: str) -> str:
    """Steps of a path; a step that would lead elsewhere names nothing that can exist."""
    for part in parts:
        if part in ("", ".", ".."):
            raise NotFound(f"There is nothing called {part!r}.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _place(project: str, environment: str, *rest: str) -> str:
    return _path("projects", project, "environments", environment, *rest)


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(server: str, answer: httpx.Response) -> Any:
    text = answer.read()
    try:
        return json.loads(text) if text else None
    except ValueError as why:
        raise Unreachable(f"What answers at {server} is not Homeport.", todo=("Check the address.",)) from why


def _refused(server: str, answer: httpx.Response) -> HomeportError:
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


def _unreachable(server: str, why: httpx.TransportError) -> Unreachable:
    said = str(why) or type(why).__name__
    if isinstance(why, httpx.TimeoutException) and not isinstance(why, httpx.ConnectTimeout):
        return Unreachable(f"{server} took too long to answer.", todo=("Try again in a while.",), said=said)
    if isinstance(why, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        todo = "Check the address, and whether the server is running."
        if "CERTIFICATE" in said:
            todo = "Add its authority to this machine's certificates, or name the file in SSL_CERT_FILE."
        return Unreachable(f"Could not reach {server}: {said}.", todo=(todo,), said=said)
    return Unreachable(f"The connection to {server} broke: {said}.", todo=("Run the same command again.",), said=said)
