"""One connection to one server: asks, reads the answer, raises what went wrong."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import httpx

from appliance import __version__
from appliance.client.address import given, is_loopback, server_url
from appliance.client.events import Event, parse_events
from appliance.client.problems import Unreachable, read_json, refusal, unreachable
from appliance.client.shapes import Page

T = TypeVar("T")
MOST = 200  # rows that the API puts on one page
PAUSES = (0.2, 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8, 8)  # seconds between tries to take a lost log up again
READING_LOG = 60  # seconds without a sign of life after which a log's connection counts as lost


class Connection:
    """Speaks to one server as one person or key."""

    def __init__(self, server: str, key: str = "", *, timeout: float = 30) -> None:
        self.server = server_url(server)
        self._headers = {"User-Agent": f"homeport/{__version__}", "Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self.timeout = timeout
        self._http = self.connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def connected(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.server,
            headers=self._headers,
            timeout=httpx.Timeout(self.timeout, connect=min(self.timeout, 10)),
            verify=_trust(self.server),
            trust_env=not is_loopback(self.server),  # a proxy can't lead to this very machine
        )

    def get(self, shape: type[T], path: str) -> T:
        return self.shaped(shape, "GET", path)

    def post(self, shape: type[T], path: str, body: Mapping[str, object], method: str = "POST") -> T:
        return self.shaped(shape, method, path, json=body)

    def waited(
        self, shape: type[T], path: str, body: Mapping[str, object], wait: float | None, *, method: str = "POST"
    ) -> T:
        timeout = httpx.Timeout(self.timeout + (wait or 0))
        return self.shaped(shape, method, path, json=body, params=given(wait=wait), timeout=timeout)

    def listed(self, shape: type[T], path: str, limit: int | None, **asked: str | None) -> Page[T]:
        """Up to so many rows, page after page; all of them without a limit."""
        rows: list[T] = []
        cursor: str | None = None
        while True:
            most = MOST if limit is None else min(MOST, limit - len(rows))
            page: Page[T] = self.ask("GET", path, params=given(**asked, limit=most, cursor=cursor))
            rows += page["items"]
            cursor = page["next"]
            if cursor is None or (limit is not None and len(rows) >= limit):
                return {"items": rows, "next": cursor}

    def shaped(self, shape: type[T], method: str, path: str, **more: Any) -> T:
        """What is asked for has this shape: the API's docs say so, and nothing here checks again."""
        answer: T = self.ask(method, path, **more)
        return answer

    def ask(self, method: str, path: str, **more: Any) -> Any:
        with self.sent(method, path, **more) as answer:
            return read_json(self.server, answer)

    @contextmanager
    def sent(
        self, method: str, path: str, *, prefix: str = "/api/v1", http: httpx.Client | None = None, **more: Any
    ) -> Iterator[httpx.Response]:
        """Send a request, raise what went wrong, and hand the answer out still unread."""
        try:
            with (http or self._http).stream(method, f"{prefix}{path}", **more) as answer:
                if answer.status_code >= 300:
                    answer.read()
                    raise refusal(self.server, answer)
                yield answer
        except httpx.TransportError as why:
            raise unreachable(self.server, why) from why

    def followed(self, path: str, last: str = "", *, lost: Callable[[], None], **asked: str | None) -> Iterator[Event]:
        """Each line of a log as it is written, to its end; a lost connection is taken up where it broke off."""
        tries = 0
        while True:
            why = Unreachable(f"{self.server} ends the log before its end.", todo=("Run the same command again.",))
            try:
                for event in self.events(path, last, **asked):
                    last, tries = event.id or last, 0
                    if event.name == "end":
                        return
                    if event.name == "line":
                        yield event
            except Unreachable as broken:
                why = broken
            if tries == 0:
                lost()
            if tries == len(PAUSES):
                raise why
            time.sleep(PAUSES[tries])
            tries += 1

    def events(self, path: str, last: str, **asked: str | None) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if last:
            headers["Last-Event-ID"] = last
        timeout = httpx.Timeout(self.timeout, read=READING_LOG)
        with self.sent("GET", path, headers=headers, timeout=timeout, params=given(**asked)) as answer:
            yield from parse_events(answer.iter_bytes())


def _trust(server: str) -> ssl.SSLContext:
    """The system's own certificates, so that an authority of one's own network counts; none over plain HTTP."""
    if server.startswith("https:"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
