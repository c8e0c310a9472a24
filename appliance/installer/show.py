"""A plan in words: what `--dry-run` prints."""

from collections.abc import Iterator

from appliance.installer.plan import account_commands, start_commands
from appliance.installer.state import WORDS, Found


def described(found: Found) -> Iterator[str]:
    """Every folder, file, link and command, in the order in which it would be done."""
    plan = found.plan
    if found.user_is_new:
        yield from map(_run, account_commands(plan.root, plan.user, plan.data))
    for folder in plan.folders:
        yield f"folder {folder.path}  {folder.access}  ({'new' if str(folder.path) in found.made else 'as it is'})"
    for file in plan.every_file:
        yield f"file {file.path}  {file.access}  ({WORDS[found.states[file.path]]})"
        yield from (f"    {line}".rstrip() for line in file.text.splitlines())
    if found.is_upgrade:
        yield f"upgrade {plan.program}, where it runs, as `homeport upgrade` does; restart it where that can't be"
    yield from map(_run, start_commands(plan.units, changed=found.wants_restart))
    if plan.page:
        yield f"link {plan.page.link.path} -> {plan.page.link.target}"
        yield from map(_run, (plan.rules.test, plan.rules.reload))


def _run(words: tuple[str, ...]) -> str:
    return f"run {' '.join(words)}"
