"""What visitors of an environment are shown now."""

import os
import threading
from pathlib import Path

from appliance.context import Context
from appliance.deploy import paths, permanent
from appliance.model.answers import Answers
from appliance.model.environments import Environment
from appliance.model.rules import Guard, Rules
from appliance.store import environments
from appliance.store import rules as kept
from appliance.web.sites import Shown

MOST_REMEMBERED = 500


class Live:
    """Remembers what it has looked up until anything was written."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._version = -1
        self._environments: dict[tuple[str, str], Environment | None] = {}
        self._answers: dict[str, Answers] = {}

    def nothing(self, *, unlisted: bool = False) -> Shown:
        return Shown(paths.nowhere(self._ctx), unlisted=unlisted)

    def of(self, project: str, name: str) -> Shown:
        environment = self._environment(project, name)
        if environment is None:
            return self.nothing()
        pointer = paths.pointer(self._ctx, project, name)
        earlier = paths.earlier(self._ctx, environment.id)
        root, answers = self._release(pointer)
        return Shown(root, answers, environment.guard, earlier, empty=root == pointer)

    def permanent(self, name: str, project: str | None = None) -> Shown | None:
        """One deployment as it was frozen, behind what stands before its environment now; None where there is none."""
        found = permanent.find(self._ctx, name, project)
        if found is None:
            return None
        deployment, release = found
        environment = self._environment(deployment.project, deployment.environment)
        guard = environment.guard if environment else Guard()
        return Shown(release.path, self.by(release.rules), guard, unlisted=True)

    def by(self, rules: Rules) -> Answers:
        """Rules, ready to be asked."""
        with self._lock:
            found = self._answers.get(rules.key)
            if found is None:
                if len(self._answers) >= MOST_REMEMBERED:
                    self._answers.clear()
                found = self._answers[rules.key] = Answers(rules)
        return found

    def _release(self, pointer: Path) -> tuple[Path, Answers]:
        """Files and rules by one look at one link, so that they belong together."""
        try:
            inner = os.readlink(pointer)
        except OSError:
            return pointer, self.by(Rules())
        _, at, key = inner.rpartition("@")
        root = pointer.parent / inner
        if not at or "/" in inner:
            return root, self._unfrozen(root)
        return root, self._answers.get(key) or self._kept(key)

    def _kept(self, key: str) -> Answers:
        return self.by(kept.find(self._ctx.db.read(), key) or Rules())

    def _unfrozen(self, root: Path) -> Answers:
        """A release that went live before rules were kept with deployments."""
        return self.by(paths.unfrozen_rules(root))

    def _environment(self, project: str, name: str) -> Environment | None:
        version = self._ctx.db.version()
        with self._lock:
            if version != self._version or len(self._environments) >= MOST_REMEMBERED:
                self._version = version
                self._environments.clear()
            if (project, name) in self._environments:
                return self._environments[project, name]
        found = environments.find(self._ctx.db.read(), project, name)
        with self._lock:
            if version == self._version:
                self._environments[project, name] = found
        return found
