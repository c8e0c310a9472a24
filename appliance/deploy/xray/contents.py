"""What the contents of files tell, apart from where they lead."""

from collections.abc import Iterable, Mapping

from appliance.deploy.xray.facts import Facts
from appliance.deploy.xray.findings import found
from appliance.deploy.xray.tokens import PRIVATE_KEY, Token
from appliance.model.amounts import how_many, size
from appliance.model.xrays import Finding

HEAVY = 3_000_000  # bytes of a page with what it loads
_ASIDE = frozenset({"404.html", "200.html"})


def given_away(tokens_at: Iterable[tuple[str, Token]]) -> Iterable[Finding]:
    """Where, and of which kind; never what it says."""
    keys: list[str] = []
    tokens: list[str] = []
    for path, token in tokens_at:
        where = keys if token.kind == PRIVATE_KEY else tokens
        where.append(f"{path}, line {token.line}: {token.kind}")
    if keys:
        yield found(
            "private_keys",
            f"{how_many(len(keys), 'private key')} {'is' if len(keys) == 1 else 'are'} in what is published.",
            keys,
            "Take it out, and replace it where it is used: consider it known to others.",
        )
    if tokens:
        yield found(
            "tokens",
            f"{how_many(len(tokens), 'token')} of services {'is' if len(tokens) == 1 else 'are'} in what is published.",
            tokens,
            "Take it out, and revoke it where it was made: consider it known to others.",
        )


def heavy(weights: Mapping[str, int]) -> Iterable[Finding]:
    pages = sorted((path for path, weight in weights.items() if weight > HEAVY), key=lambda path: -weights[path])
    if pages:
        yield found(
            "heavy_pages",
            f"{how_many(len(pages), 'page')} {'weighs' if len(pages) == 1 else 'weigh'} more than {size(HEAVY)}.",
            [f"{path}: {size(weights[path])}" for path in pages],
            "Look at the pictures and scripts that they load.",
        )


def is_single_page(pages: list[str], top: Facts | None) -> bool:
    """One page that begins with a script and leads to no other."""
    ordinary = [path for path in pages if path not in _ASIDE]
    return ordinary == ["index.html"] and top is not None and top.module and not top.links


def without_fallback() -> Finding:
    return found(
        "single_page",
        "It looks like a single-page app: its addresses other than / answer 404 when they are opened or reloaded.",
        (),
        "Turn on the single-page fallback of the environment: then /settings answers with index.html.",
    )


def not_read(paths: list[str]) -> Finding:
    return found(
        "not_read",
        f"{how_many(len(paths), 'file')} {'was' if len(paths) == 1 else 'were'} too large to look into.",
        paths,
        "Nothing, unless they should not be that large.",
    )
