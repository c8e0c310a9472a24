"""Reading the fields of one request, all errors at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from appliance.errors import Invalid

NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
SHA256 = re.compile(r"[0-9a-f]{64}")
HALF = re.compile("[\ud800-\udfff]")  # JSON can spell half of a pair, which no file and no database takes
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")  # moves a cursor or turns the reading
T = TypeVar("T")


class Reader:
    """Takes fields out of a raw body one by one; `done()` raises what was wrong with any of them."""

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise Invalid({"body": "Send a JSON object"})
        self._left: dict[str, object] = {str(key): value for key, value in raw.items()}
        self._errors: dict[str, str] = {}

    def text(self, name: str, *, missing: str = "", most: int = 1000, optional: bool = False) -> str:
        """Some text. Empty counts as missing."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            if not optional:
                self._errors[name] = missing or f"Enter a {name.replace('_', ' ')}"
            return ""
        if not isinstance(value, str):
            self._errors[name] = "This must be text"
            return ""
        if HALF.search(value):
            self._errors[name] = "This has half a character in it; type it again"
            return ""
        if len(value) > most:
            self._errors[name] = f"Keep this to {most} characters"
            return ""
        return value

    def checked(self, name: str, check: Callable[[str], T], *, missing: str = "", optional: bool = False) -> T | None:
        """Some text that `check` turns into a value, or says with ValueError why it can't."""
        value = self.text(name, missing=missing, optional=optional)
        if not value:
            return None
        try:
            return check(value)
        except ValueError as why:
            self._errors[name] = str(why)
            return None

    def exact(self, name: str, check: Callable[[str], T], *, missing: str = "") -> T | None:
        """Some text as it is, which may be empty; None where it is left out."""
        value = self._left.pop(name, None)
        if value is None:
            if missing:
                self._errors[name] = missing
            return None
        if not isinstance(value, str):
            self._errors[name] = "This must be text"
            return None
        try:
            return check(value)
        except ValueError as why:
            self._errors[name] = str(why)
            return None

    def yes(self, name: str, *, default: bool | None = None) -> bool | None:
        value = self._left.pop(name, None)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if value in ("true", "on", "1"):
            return True
        if value in ("false", "off", "0", ""):
            return False
        self._errors[name] = "This must be true or false"
        return default

    def number(self, name: str, *, default: int, least: int = 0, most: int) -> int:
        value = self._left.pop(name, None)
        if value is None or value == "":
            return default
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._errors[name] = f"Enter a whole number from {least:,} to {most:,}"
            return default
        return value

    def several(self, name: str, check: Callable[[str], T]) -> tuple[T, ...]:
        """A list of texts, or one text with commas between them; each once."""
        value = self._left.pop(name, None) or ()
        if isinstance(value, str):
            value = [one.strip() for one in value.split(",") if one.strip()]
        if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
            self._errors[name] = "This must be a list of texts"
            return ()
        try:
            return tuple(dict.fromkeys(check(one) for one in value))
        except ValueError as why:
            self._errors[name] = str(why)
            return ()

    def each(self, name: str, parse: Callable[[object], T], *, most: int = 50) -> tuple[T, ...]:
        """A list of objects, each with fields of its own."""
        value = self._left.pop(name, None) or ()
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > most:
            self._errors[name] = f"This must be a list of at most {most}"
            return ()
        made: list[T] = []
        for number, one in enumerate(value, 1):
            try:
                made.append(parse(one))
            except Invalid as why:
                field, text = next(iter(why.errors.items()))
                self._errors[name] = f"Number {number}, {field}: {text}"
        return tuple(made)

    def thing(self, name: str, *, missing: str = "", optional: bool = False) -> Mapping[str, object]:
        """An object, whose own fields are looked at later."""
        value = self._left.pop(name, None)
        if isinstance(value, Mapping):
            return {str(key): inner for key, inner in value.items()}
        if value or not optional:
            self._errors[name] = "This must be an object" if value else missing
        return {}

    def wrong(self, name: str, text: str) -> None:
        self._errors.setdefault(name, text)

    def done(self) -> None:
        for name in self._left:
            self._errors[name] = "There is no such field"
        if self._errors:
            raise Invalid(self._errors)


def name_of(noun: str) -> Callable[[str], str]:
    """The one rule for names."""

    def check(text: str) -> str:
        if NAME.fullmatch(text):
            return text
        if len(text) > 40:
            raise ValueError(f"Keep the {noun} name to 40 characters")
        if not text[:1].isascii() or not text[:1].isalpha():
            raise ValueError("Enter a name that starts with a letter")
        if text != text.lower():
            raise ValueError("Use small letters only")
        if text.endswith("-"):
            raise ValueError("Enter a name that ends with a letter or digit")
        raise ValueError("Use only small letters, digits and dashes")

    return check


def sha256_of(text: str) -> str:
    if not SHA256.fullmatch(text):
        raise ValueError("A bundle is named by the 64 hex digits of its SHA-256")
    return text
