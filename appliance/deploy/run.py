"""One run of one deployment: its steps as they are shown, its log, its wish to be cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from appliance.context import Context
from appliance.deploy.log import Log
from appliance.errors import Cancelled
from appliance.events import DeploymentChanged
from appliance.machine import faults, stopping
from appliance.model.deployments import STEPS, Deployment, Step
from appliance.store import deployments

LOOK_EVERY = 0.2  # seconds between two looks for a cancel
SAY_EVERY = 0.25  # seconds between two notes of progress


class Run:
    def __init__(self, ctx: Context, deployment: Deployment) -> None:
        self.ctx = ctx
        self.deployment = deployment
        self.log = Log(ctx, deployment.id)
        self._steps = {step.name: step for step in deployment.steps}
        self._looked = self._said = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One named step: shown while it runs, with how it ended."""
        self.stop_if_cancelled()
        self.log.step = name
        self._set(Step(name, "running", self.ctx.moment()))
        faults.point(name)
        try:
            with stopping.when(self.cancelled):
                yield
        except BaseException:
            self._end(name, "failed")
            raise
        faults.point(f"after {name}")
        self._end(name, "succeeded")

    def say(self, text: str) -> None:
        """A line from a backend, which is also where it hears that someone asked to stop."""
        self.log.info(text)
        self.stop_if_cancelled()

    def detail(self, text: str) -> None:
        """What the step that runs now has to say for itself."""
        self._set(replace(self._steps[self.log.step], detail=text))

    def progress(self, text: str) -> None:
        """The same, said at most a few times a second."""
        if monotonic() - self._said > SAY_EVERY:
            self._said = monotonic()
            self.detail(text)

    def cancelled(self) -> bool:
        if monotonic() - self._looked < LOOK_EVERY:
            return False
        self._looked = monotonic()
        return deployments.cancel_asked(self.ctx.db.read(), self.deployment.id)

    def stop_if_cancelled(self) -> None:
        if deployments.cancel_asked(self.ctx.db.read(), self.deployment.id):
            raise Cancelled("The deployment was cancelled.")

    def rest_not_started(self) -> None:
        for name, step in self._steps.items():
            if step.status == "waiting":
                self._steps[name] = replace(step, status="skipped")
            if step.status == "running":
                self._steps[name] = replace(step, status="failed", finished_at=self.ctx.moment())
        self._save()

    def _end(self, name: str, status: str) -> None:
        self._set(replace(self._steps[name], status=status, finished_at=self.ctx.moment()))

    def _set(self, step: Step) -> None:
        self._steps[step.name] = step
        self._save()

    def _save(self) -> None:
        changed = DeploymentChanged(self.deployment.id, self.deployment.project, self.deployment.environment)
        with self.ctx.write(changed, lasting=False) as db:
            deployments.set_steps(db, self.deployment.id, [self._steps[name] for name in STEPS])
