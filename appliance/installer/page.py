"""The appliance's own page behind NGINX: put there, tested, and kept only if NGINX takes it."""

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import HomeportError, HostFailed
from appliance.installer.ledger import Ledger
from appliance.installer.plan import HOST, Page, Plan
from appliance.installer.state import WORDS, Found
from appliance.installer.steps import Say, write
from appliance.machine import files
from appliance.machine.process import run
from appliance.nginx.helper import Rules
from appliance.settings import Settings


def keep_page(found: Found, ledger: Ledger, say: Say) -> None:
    """The last step: a page that NGINX refuses takes nothing else down with it."""
    plan, page = found.plan, found.plan.page
    if page is None:
        return
    state = found.states[page.file.path]
    if state == "edited":
        say(f"{page.file.path} is {WORDS[state]}.")
        return
    if state == "same" and plan.at(page.link.path).is_symlink():
        return
    if not _can_ask(plan):
        say(f"{page.file.path} is not written: NGINX can't be asked about another root.")
        return
    _put(found, page, ledger, say)


def _put(found: Found, page: Page, ledger: Ledger, say: Say) -> None:
    plan = found.plan
    intent = ledger.intending(plan, [page.file], (), user_is_new=False).with_link(page.link)
    intent.write(plan.root)
    before = _Before.of(plan, page)
    write(plan, page.file)
    files.point(plan.at(page.link.path), page.link.target)
    try:
        _test(plan.rules, page)
    except HomeportError:
        before.put_back()
        ledger.write(plan.root)
        raise
    intent.settled([page.file]).write(plan.root)
    say(f"{page.file.path} is {WORDS[found.states[page.file.path]]}, and NGINX takes it.")
    _reload(plan.rules, say)


def _test(rules: Rules, page: Page) -> None:
    ran = run(rules.test, timeout=60)
    taken = [line for line in ran.output.splitlines() if f'conflicting server name "{page.host}"' in line]
    if not ran.ok or taken:
        why = "another file has its name already" if taken else "NGINX refuses its configuration with it"
        raise HostFailed(
            f"Homeport is installed, but its page {page.host} is not behind NGINX: {why}.",
            code="nginx_refused",
            todo=(f"Check with `{' '.join(rules.test)}`, mend that, then run `homeport install` again.",),
            said=ran.output.strip(),
        )


def _reload(rules: Rules, say: Say) -> None:
    """NGINX may not run just now; the page is there when it starts."""
    try:
        ok = run(rules.reload, timeout=60).ok
    except HostFailed:
        ok = False
    say(
        "NGINX has read it." if ok else f"Note: `{' '.join(rules.reload)}` failed, so NGINX reads it at its next start."
    )


@dataclass(frozen=True)
class _Before:
    """What was there, to put back."""

    file: Path
    content: bytes | None
    link: Path
    was_linked: bool

    @classmethod
    def of(cls, plan: Plan, page: Page) -> "_Before":
        file, link = plan.at(page.file.path), plan.at(page.link.path)
        return cls(file, file.read_bytes() if file.exists() else None, link, os.path.lexists(link))

    def put_back(self) -> None:
        if not self.was_linked:
            self.link.unlink()
        if self.content is None:
            self.file.unlink()
        else:
            files.write_whole(self.file, self.content)


def _can_ask(plan: Plan) -> bool:
    """Under another root only a command that was named for it: the host's own NGINX has nothing to do with that."""
    return plan.root == HOST or plan.rules.test != Settings.nginx_test
