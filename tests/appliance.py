"""A whole appliance in a process of its own, driven through its doors."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

EMAIL, PASSWORD = "owner@example.com", "correct horse battery"
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
ALONE = {"HOMEPORT_BACKEND": "builtin"}

Files = Mapping[str, str | bytes]


def zipped(files: Files, **more: Any) -> bytes:
    """The bytes of a zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


class Appliance:
    """`homeport serve` with an owner and a key; stop it or kill it, and start it again with the same data."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        self.environ = {**ALONE, **environ}
        self.url = self.key = self.token = ""
        self.port = 0
        self.setup_token = ""
        self.output: list[str] = []
        self.file: Path | None = None  # a built one, to run that
        self.process: subprocess.Popen[str] | None = None
        self.http = httpx.Client(timeout=PATIENCE)

    def start(self) -> Self:
        """Returns when it says that it is ready."""
        ready = threading.Event()
        built = self.file or os.environ.get("HOMEPORT_TEST_FILE")
        program = [sys.executable, str(built)] if built else [sys.executable, "-m", "appliance"]
        self.process = subprocess.Popen(
            [*program, "serve", "--data", str(self.data), "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**_surroundings(), **self.environ},
        )
        self.output, self.url = [], ""
        threading.Thread(target=self._read, args=(self.process, ready), daemon=True).start()
        if not ready.wait(PATIENCE) or not self.url:
            self.kill()
            raise AssertionError(f"it did not start: {''.join(self.output)}")
        return self

    def set_up(self) -> Self:
        """Make the owner and a key, as a person would."""
        body = {"token": self.wait_for_token(), "email": EMAIL, "password": PASSWORD}
        answer = self.http.post(f"{self.url}/api/v1/setup", json=body)
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        made = self.http.post(f"{self.url}/api/v1/keys", json={"name": "ci"}, headers=self._bearer(self.token))
        assert made.status_code == 201, made.text
        self.key = made.json()["key"]
        return self

    def wait_for_token(self) -> str:
        assert self._token_seen.wait(PATIENCE), "no set-up link was printed"
        return self.setup_token

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request with the key."""
        headers = {**self._bearer(self.key), **more.pop("headers", {})}
        return self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def project(self, name: str) -> str:
        answer = self.ask("POST", "/projects", json={"name": name})
        assert answer.status_code == 201, answer.text
        return name

    def send(
        self, project: str, body: bytes, environment: str = "production", *, wait: int | None = 30
    ) -> httpx.Response:
        """Deploy the bytes of a zip."""
        query = f"?wait={wait}" if wait is not None else ""
        path = f"/projects/{project}/environments/{environment}/deployments{query}"
        return self.ask("POST", path, content=body, headers={"Content-Type": "application/zip"})

    def deploy(self, project: str, files: Files, environment: str = "production") -> Any:
        """Deploy files and see them live."""
        answer = self.send(project, zipped(files), environment)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def visit(self, name: str, path: str = "/", **more: Any) -> httpx.Response:
        """What a visitor of <name>.localhost gets; a name with a dot at its end is taken as it is."""
        host = name.rstrip(".") if name.endswith(".") else f"{name}.localhost"
        headers = {"Host": f"{host}:{self.port}", **more.pop("headers", {})}
        return self.http.get(f"{self.url}{path}", headers=headers, **more)

    def log(self, deployment: str) -> str:
        answer = self.ask("GET", f"/deployments/{deployment}/log")
        assert answer.status_code == 200, answer.text
        return answer.text

    def stop(self) -> int:
        """Ask it to end, and say how it did."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        return self._end(signal.SIGKILL)

    @property
    def memory(self) -> int:
        """Bytes of memory that it holds now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def __enter__(self) -> Self:
        return self.start().set_up()

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.http.close()

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE * 2)
        self.process = None
        return code

    def _read(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        assert process.stdout is not None
        self._token_seen = threading.Event()
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if found := re.search(r"ready at http://[^:]+:(\d+)", line):
                    self.port = int(found[1])
                    self.url = f"http://127.0.0.1:{self.port}"
                    ready.set()
                if found := re.search(r"setup\?token=(\S+)", line):
                    self.setup_token = found[1]
                    self._token_seen.set()
        ready.set()

    def _bearer(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"} if token else {}


def _surroundings() -> dict[str, str]:
    """The environment without settings of Homeport that whoever runs the tests may have."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_")}
