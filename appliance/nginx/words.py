"""Text as a word of an NGINX file: what comes out of NGINX is what went in, whatever is in it."""

import re

NOWHERE = "/.git/-"  # no release has such a file: `.git` is left out of every bundle
DOLLAR = 'geo $homeport_dollar {\n    default "$";\n}'  # the one way to a dollar sign that NGINX has
LONGEST = 4000  # bytes: NGINX takes no word of more than 4,096
_PART = 200  # characters, each of which may become 18 bytes
_READ_BY_NGINX = re.compile(r"\\(?=[\\\"'trn])|\\\Z|\"")


def fixed(text: str) -> str:
    """For a place where NGINX looks for no variables: a name, an expression, a key."""
    return f'"{_escaped(text)}"'


def text(value: str) -> str:
    """For a place where NGINX looks for variables."""
    return f'"{written(value)}"'


def written(value: str) -> str:
    """The same without its quotes, to stand beside variables."""
    return "${homeport_dollar}".join(_escaped(part) for part in value.split("$"))


def assigned(variable: str, before: str, value: str) -> list[str]:
    """Lines that make a variable of `before`, which is NGINX's own text, and a value of any length."""
    parts = [value[at : at + _PART] for at in range(0, len(value), _PART)] or [""]
    lines = [f'set ${variable} "{before}{written(parts[0])}";']
    return lines + [f'set ${variable} "${{{variable}}}{written(part)}";' for part in parts[1:]]


def when(condition: str, lines: list[str]) -> list[str]:
    return [f"if ({condition}) {{", *indented(lines), "}"]


def location(where: str, lines: list[str]) -> list[str]:
    return ["", f"location {where} {{", *indented(lines), "}"]


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]


def _escaped(text: str) -> str:
    return _READ_BY_NGINX.sub(r"\\\g<0>", text)
