"""What the names of files tell: quick, and done before anything goes live."""

import re
from collections import defaultdict
from collections.abc import Iterable

from appliance.deploy.xray.findings import found
from appliance.model.amounts import how_many
from appliance.model.manifests import Manifest
from appliance.model.xrays import Finding

_NOT_MEANT = re.compile(
    r"""(?:^|/)(?:
        \.(?:env|git|svn|hg|ssh|aws|gnupg|kube|docker|npmrc|pypirc|netrc|htpasswd|terraform)(?:[./].*)?
        | (?:env|secrets?|credentials)\.(?:local|prod|production|staging|dev|development|bak|old|txt|env)
        | [^/]*\.env(?:\.[^/]*)?
        | id_(?:rsa|dsa|ecdsa|ed25519)
        | [^/]*\.(?:pem|p12|pfx|jks|keystore|kdbx|ppk) | (?:server|private|privkey|ssl|tls)[^/]*\.key
        | [^/]*\.(?:sql|sqlite3?|dump)(?:\.(?:gz|bz2|xz|zip))?
        | terraform\.tfstate[^/]* | wp-config\.php[^/]* | htpasswd | credentials\.json | service-account[^/]*\.json
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_MAPS = (".js.map", ".css.map", ".mjs.map", ".cjs.map")
_MANY = 10  # files below which losing most of them says little


def judge(manifest: Manifest, before: Manifest | None) -> Iterable[Finding]:
    yield from _not_meant(manifest)
    yield from _top(manifest)
    if before is not None:
        yield from _mostly_gone(manifest, before)
    yield from _same_but_for_case(manifest)
    yield from _maps(manifest)


def _not_meant(manifest: Manifest) -> Iterable[Finding]:
    lasts = {path.rpartition("/")[2] for path in manifest}  # of most sites nearly all are index.html
    odd = {last for last in lasts if _NOT_MEANT.search(last)}
    names = [
        path
        for path in manifest
        if (odd and path.rpartition("/")[2] in odd) or ((path[0] == "." or "/." in path) and _NOT_MEANT.search(path))
    ]
    if names:
        yield found(
            "secret_files",
            f"{how_many(len(names), 'file')} {'looks' if len(names) == 1 else 'look'} as if not meant for everybody.",
            names,
            "Leave them out of the folder that is built. Whoever knows the name can read them while this is live.",
        )


def _top(manifest: Manifest) -> Iterable[Finding]:
    if "index.html" not in manifest:
        inside = sorted(path for path in manifest if path.endswith("/index.html") and path.count("/") == 1)
        where = f" There is {inside[0]}: is that the folder to deploy?" if inside else ""
        yield found(
            "no_index",
            "There is no index.html at the top: visitors of / get the page for what is not there.",
            inside,
            f"Deploy the folder that holds the index.html of the site.{where}",
        )


def _mostly_gone(manifest: Manifest, before: Manifest) -> Iterable[Finding]:
    gone = before.keys() - manifest.keys()
    if len(before) >= _MANY and len(gone) * 2 > len(before):
        yield found(
            "mostly_gone",
            f"{len(gone):,} of the {len(before):,} files that were live are not in this one.",
            gone,
            "Check that the build was whole and that it is the right site.",
        )


def _same_but_for_case(manifest: Manifest) -> Iterable[Finding]:
    if len({path.lower() for path in manifest}) == len(manifest):
        return
    alike: dict[str, list[str]] = defaultdict(list)
    for path in sorted(manifest):
        alike[path.lower()].append(path)
    pairs = [" and ".join(paths) for paths in alike.values() if len(paths) > 1]
    yield found(
        "case_names",
        f"{how_many(len(pairs), 'pair')} of names {'differs' if len(pairs) == 1 else 'differ'} only by letter case.",
        pairs,
        "Rename one of each: on macOS and Windows they are one file.",
    )


def _maps(manifest: Manifest) -> Iterable[Finding]:
    names = [path for path in manifest if path.endswith(_MAPS)]
    if names:
        yield found(
            "source_maps",
            f"{how_many(len(names), 'source map')} {'shows' if len(names) == 1 else 'show'} the source to everybody.",
            names,
            "If the source is not public, build without source maps.",
        )
