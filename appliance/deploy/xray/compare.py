"""Two deployments, side by side: files, rules and what the X-ray found."""

from dataclasses import fields

from appliance.context import Context
from appliance.deploy import freeze, releases
from appliance.deploy.xray.changes import changes_of, split
from appliance.errors import Conflict
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.rules import Redirect, Rules
from appliance.model.xrays import Comparison, Finding
from appliance.store import deployments, rules, xrays

_MOST = 100  # lines about rules
_LOOKED_AT, _CHOICES = 100, 20
_WORDS = {
    "clean_urls": "Clean URLs",
    "fallback": "Fallback",
    "pages": "Cache-Control of pages",
    "fingerprinted": "Cache-Control of fingerprinted files",
    "bridge": "Files of earlier releases",
}


def compare(ctx: Context, one: Deployment, other: Deployment) -> Comparison:
    """The earlier one first, whichever was named first."""
    before, after = sorted((one, other), key=lambda it: it.id)
    old, new = _manifest(ctx, before), _manifest(ctx, after)
    added, removed, changed = split(old, new)
    found_before, found_after = _findings(ctx, before), _findings(ctx, after)
    return Comparison(
        before=before.id,
        after=after.id,
        same_files=not (added or removed or changed),
        added=changes_of(added, old, new),
        removed=changes_of(removed, old, new),
        changed=changes_of(changed, old, new),
        size_before=sum(piece.size for piece in old.values()),
        size_after=sum(piece.size for piece in new.values()),
        rules=tuple(_rules(_rules_of(ctx, before), _rules_of(ctx, after)))[:_MOST],
        findings_new=tuple(it for code, it in found_after.items() if code not in found_before),
        findings_gone=tuple(it for code, it in found_before.items() if code not in found_after),
    )


def _manifest(ctx: Context, deployment: Deployment) -> Manifest:
    release = freeze.release_of(ctx, deployment)
    if release is None or not releases.ready(ctx, release.name):
        unpacked = release is not None or deployment.status == "succeeded"
        what = "is no longer unpacked" if unpacked else "came to no release"
        raise Conflict(
            f"#{deployment.number} of {deployment.place} {what}, so it can't be compared.",
            code="no_release",
            todo=("Compare one that was live lately, or deploy its bundle again.",),
        )
    return releases.manifest_of(ctx, release.name)


def _findings(ctx: Context, deployment: Deployment) -> dict[str, Finding]:
    report = xrays.find(ctx.db.read(), deployment.id)
    return {one.code: one for one in report.findings} if report else {}


def _rules_of(ctx: Context, deployment: Deployment) -> Rules:
    found = rules.find(ctx.db.read(), deployment.rules) if deployment.rules else None
    return found or Rules()


def _rules(old: Rules, new: Rules) -> list[str]:
    """What changed in how it answers, a line each."""
    said = [
        f"{_WORDS[item.name]}: {_shown(getattr(old, item.name))} before, {_shown(getattr(new, item.name))} after"
        for item in fields(Rules)
        if item.name in _WORDS and getattr(old, item.name) != getattr(new, item.name)
    ]
    gone = [_redirect(one) for one in old.redirects]
    come = [_redirect(one) for one in new.redirects]
    said += [f"Redirect gone: {one}" for one in gone if one not in come]
    said += [f"Redirect new: {one}" for one in come if one not in gone]
    had = {(one.source, one.headers, one.removed) for one in old.headers}
    has = {(one.source, one.headers, one.removed) for one in new.headers}
    said += [f"Headers changed or gone: {source}" for source, *_ in sorted(had - has)]
    said += [f"Headers changed or new: {source}" for source, *_ in sorted(has - had)]
    return said


def _redirect(one: Redirect) -> str:
    return f"{one.source} to {one.target}, {one.status}{' whatever is there' if one.forced else ''}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "none"


def with_a_release(ctx: Context, deployment: Deployment) -> list[Deployment]:
    """What a deployment can be compared with: the others of its project that are still unpacked, newest first."""
    page = deployments.newest(ctx.db.read(), project=deployment.project, status="succeeded", limit=_LOOKED_AT)
    return [one for one in page.items if one.id != deployment.id and one.release and releases.ready(ctx, one.release)][
        :_CHOICES
    ]
