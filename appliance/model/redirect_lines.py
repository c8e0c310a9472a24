"""The file `_redirects` of a bundle: a line is from, to, and perhaps a status and conditions."""

import re
from urllib.parse import quote, urlsplit

from appliance.model import matching
from appliance.model.answers import is_hidden
from appliance.model.rule_lines import Ignored, Wrong, decoded, lines_of, source_of
from appliance.model.rules import TAKEN, Redirect

FILE = "_redirects"
AWAY, IN_PLACE = (301, 302, 303, 307, 308), (200, 404, 410)
_STATUS = re.compile(r"([0-9]{3})(!?)")
_PARAMETER = re.compile(r"([^=]+)=(.+)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{2,8})*")
_HOST = re.compile(r"[A-Za-z0-9.\[\]:-]+")
_KEPT = "!$&'()*+,-./:;=@[]_~"  # what stands in the path of a target as it is
MOST_PARAMETERS, LONGEST_LANGUAGES = 5, 400
CONDITIONS = ("country", "role", "cookie", "language")


def parse(data: bytes) -> tuple[tuple[Redirect, ...], tuple[Ignored, ...]]:
    """The redirects in their order, and what is not one."""
    lines, ignored = lines_of(FILE, data)
    found: list[Redirect] = []
    for number, line in lines:
        try:
            found.append(_redirect(line, number))
        except Wrong as why:
            ignored.append(Ignored(FILE, number, line.strip()[:200], str(why)))
    return tuple(found), tuple(sorted(ignored, key=lambda one: one.line))


def _redirect(line: str, number: int) -> Redirect:
    words = _words(line)
    if len(words) < 2:
        raise Wrong("A redirect has two parts at least: from and to.")
    source, rest = source_of(words[0]), words[1:]
    query: list[tuple[str, str]] = []
    while rest and not rest[0].startswith(("/", "http://", "https://")) and "=" in rest[0]:
        query.append(_parameter(rest.pop(0)))
    if len(query) > MOST_PARAMETERS:
        raise Wrong(f"A redirect can ask for {MOST_PARAMETERS} parameters.")
    if not rest:
        raise Wrong("It does not say where to.")
    target, status, forced, languages = rest[0], 301, False, tuple[str, ...]()
    for word in rest[1:]:
        if match := _STATUS.fullmatch(word):
            status, forced = int(match[1]), bool(match[2])
        else:
            languages += _condition(word)
    _refuse_unclear(source, query)
    if status not in AWAY + IN_PLACE:
        raise Wrong(f"Status {status} can't be given: use one of {', '.join(map(str, sorted(AWAY + IN_PLACE)))}.")
    target = _file(target, status) if status in IN_PLACE else _place(target)
    made = Redirect(source, target, status, forced, tuple(query), languages, number)
    _refuse_circle(made)
    return made


def _words(line: str) -> list[str]:
    """Up to a remark at the end."""
    words = line.split()
    end = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:end]


def _parameter(word: str) -> tuple[str, str]:
    match = _PARAMETER.fullmatch(word)
    if match is None or not re.fullmatch(r"[A-Za-z0-9_]{1,64}", match[1]):
        raise Wrong(f"“{word}” is no parameter: name it with letters, digits and _, such as id=:id or page=2.")
    value = match[2]
    if value.startswith(":"):
        if len(value) > 60 or not re.fullmatch(matching.NAME, value):
            raise Wrong(f"“{value}” is no name to take a parameter by.")
    elif not re.fullmatch(r"[!-~]{1,60}", value) or set("&#?") & set(value):
        raise Wrong(f"“{value}” can't be asked for: percent-encode it, in at most 60 characters.")
    return match[1], value


def _condition(word: str) -> tuple[str, ...]:
    name, equals, value = word.partition("=")
    if not equals or name.lower() not in CONDITIONS:
        raise Wrong(f"“{word}” is neither a status nor a condition.")
    if name.lower() != "language":
        raise Wrong(f"{name} can't be asked about here: only Language can.")
    languages = tuple(value.split(","))
    if not all(_LANGUAGE.fullmatch(one) for one in languages) or len(value) > LONGEST_LANGUAGES:
        raise Wrong(f"“{value}” are no languages: write them as en,de,pt-BR.")
    return languages


def _refuse_unclear(source: str, query: list[tuple[str, str]]) -> None:
    taken = [*matching.names(source), *(value[1:] for _, value in query if value.startswith(":"))]
    if len(set(taken)) < len(taken):
        raise Wrong("A name stands there twice.")
    if len({name.lower() for name, _ in query}) < len(query):
        raise Wrong("A parameter stands there twice.")


def _place(target: str) -> str:
    """Where to lead: a path of this site, or a whole address."""
    if target.startswith(("http://", "https://")):
        scheme, _, rest = target.partition("://")
        host, path = re.fullmatch(r"([^/?#]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
        if not _HOST.fullmatch(host) or TAKEN.search(host):
            raise Wrong(f"“{host}” is no host name to lead to.")
        _refuse_port(target)
        return f"{scheme}://{host}{_encoded(path)}"
    if target.startswith(("//", "/\\")):
        raise Wrong("Begin another site's address with https://.")
    if not target.startswith("/"):
        raise Wrong(f"“{target}” is neither a path nor an http address.")
    return _encoded(target)


def _refuse_port(target: str) -> None:
    try:
        parts = urlsplit(target)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Wrong(f"“{target}” is no address.")


def _file(target: str, status: int) -> str:
    """What to show in place: a path of this site."""
    if target.startswith(("http://", "https://")):
        raise Wrong(f"With {status} a file of this site is shown; passing on to another host can't be done here.")
    if not target.startswith("/") or "?" in target or "#" in target:
        raise Wrong("What is shown in place is a path of this site, without ? and #.")
    if target.startswith("/.netlify/") or target.startswith("/.functions/"):
        raise Wrong("There are no functions here, only files.")
    path = decoded(target)
    if "//" in path or "\\" in path or is_hidden(path.encode()):
        raise Wrong(f"“{target}” is nothing that is served.")
    return quote(path, safe=_KEPT)


def _encoded(target: str) -> str:
    """Percent-encoded one way. What has a meaning of its own keeps it."""
    path, mark, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", target, re.DOTALL).groups()  # type: ignore[union-attr]
    text = decoded(path)
    if {"\\", "?", "#"} & set(text):
        raise Wrong("A target has no backslash, and no ? or # that is percent-encoded.")
    decoded(rest)
    return quote(text, safe=_KEPT) + mark + quote(rest, safe=_KEPT + "%?#")


def _refuse_circle(one: Redirect) -> None:
    """What would lead to itself for ever."""
    if one.in_place or one.query or one.languages or not one.target.startswith("/"):
        return
    same = matching.names(one.source) and one.target == quote(one.source, safe=_KEPT).replace("*", f":{matching.SPLAT}")
    if not TAKEN.search(one.target):
        path = one.target.partition("?")[0].partition("#")[0].encode()
        pattern = matching.as_sent(one.source) if matching.takes(one.source) else matching.as_served(one.source)
        same = (one.forced or not matching.takes(one.source)) and re.match(pattern.encode(), path) is not None
    if same:
        raise Wrong("It leads to itself.")
