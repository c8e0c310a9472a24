"""How a release answers, as the inside of an NGINX server. Pure.

Everything that may end in a file goes through locations that NGINX comes to after it has asked for a password. An `if`
in a location either ends the request or sends the folder itself: NGINX forgets a location's `try_files` in any other.
"""

from dataclasses import dataclass, field

from appliance.model import serving
from appliance.model.rules import REVALIDATE, Redirect
from appliance.nginx import headers, redirects
from appliance.nginx.redirects import SHOWN
from appliance.nginx.values import SiteConf
from appliance.nginx.words import NOWHERE, fixed, location, text, when

PRIVATE = "private, no-cache"  # of what came by a password
STAMPED = 473  # which error stands for a file shown in place whose name is fingerprinted
_NORMAL = (  # a path as NGINX itself would write it into an answer, up to a slash at its end
    r"(?:/(?!\.{1,2}/)(?:[A-Za-z0-9!$&'()*+,.:;=@\[\]_~-]|%(?:0[1-9A-F]|1[0-9A-F]|2[0235]|3[CEF]|5[CE]|60|7[BCDF]"
    "|[89A-F][0-9A-F]))+)+"
)
_HIDDEN = r"(?s)^(?!/\.well-known(?:/|(?!.))).*/\.|^/+_(?:redirects|headers)(?!.)"
_SLASH = '"(?s)/(?!.)"'


@dataclass
class Answers:
    """What goes where in the template."""

    tables: list[str] = field(default_factory=list)
    adding: list[str] = field(default_factory=list)
    jumps: list[str] = field(default_factory=list)
    server: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    fallback: list[str] = field(default_factory=list)


def answers(conf: SiteConf) -> Answers:
    return _Writer(conf).written()


class _Writer:
    def __init__(self, conf: SiteConf) -> None:
        self.conf, self.rules = conf, conf.rules
        self.made = Answers()
        self.headers = headers.compiled(self.rules.headers)
        self.pages, self.stamped = self._policies()
        self.away = [f'set $homeport_cache "{PRIVATE if conf.guard.password else REVALIDATE}";']
        self.bridge = self.rules.bridge and conf.earlier is not None
        self.flags = redirects.flags_of(self.rules.redirects)
        self.forced = self._redirects(forced=True)
        self.others = self._redirects(forced=False)

    def written(self) -> Answers:
        self.made.tables = [*self.forced.tables, *self.others.tables]
        self._headers()
        self._password()
        self._variables()
        self.made.fallback = self._last("=404")
        self._files()
        self._folder()
        self._in_place()
        if self.bridge:
            tries = [f"set $homeport_cache {self.stamped};", "try_files $homeport_earlier =404;"]
            self.made.locations += location("@earlier", [f"root {self.conf.earlier};", *tries])
        return self.made

    def _policies(self) -> tuple[str, str]:
        """Cache-Control of files, for pages and for fingerprinted names, in NGINX's words."""
        if self.conf.guard.password:
            return text(PRIVATE), text(PRIVATE)
        if self.headers.cache:
            return "$homeport_pages", "$homeport_stamped"
        return text(self.rules.pages), text(self.rules.fingerprinted)

    def _policy_of(self, path: str) -> str:
        return self.stamped if serving.is_fingerprinted(path.encode()) else self.pages

    def _redirects(self, *, forced: bool) -> redirects.Compiled:
        those = [one for one in self.rules.redirects if one.forced == forced]
        return redirects.compiled(those, self.flags, self.away)

    def _headers(self) -> None:
        self.made.adding += self.headers.adding
        if self.flags:
            self.made.adding.append("add_header Vary $homeport_vary always;")
            self.made.server.append("set $homeport_vary Accept-Language;")
        if self.headers.cache:
            self.made.server.append(f"set $homeport_pages {text(self.rules.pages)};")
            self.made.server.append(f"set $homeport_stamped {text(self.rules.fingerprinted)};")
        self.made.server += self.headers.lines

    def _password(self) -> None:
        if not self.conf.guard.password:
            return
        self.made.jumps += [
            f"auth_basic {text(serving.REALM)};",
            f"auth_basic_user_file {self.conf.users};",
            "error_page 401 @asked;",
        ]
        self.made.server.append(f'set $homeport_other "{PRIVATE}";')
        asked = [
            "auth_basic off;",
            "add_header Cache-Control no-store always;",
            "add_header X-Content-Type-Options nosniff always;",
            "types {",
            "}",
            'default_type "text/html; charset=utf-8";',
            f"return 401 {text(serving.NOT_SIGNED_IN)};",
        ]
        self.made.locations += location("@asked", asked)

    def _variables(self) -> None:
        """What the locations go by, all from the path and what was sent with it."""
        rules, lines = self.rules, self.made.server
        html = ["set $homeport_html index.html;"] if rules.clean_urls else []
        lines += ['set $homeport_index "";', *(["set $homeport_html .html;"] if html else [])]
        lines += when(f"$uri ~ {_SLASH}", ["set $homeport_index index.html;", *html])
        lines.append(f"set $homeport_cache {self.pages};")
        if self.pages != self.stamped:
            lines += ["set $homeport_name $uri$homeport_index;", "set $homeport_stamp -;"]
            stamped = [f"set $homeport_cache {self.stamped};", "set $homeport_stamp $homeport_index;"]
            lines += when(f"$homeport_name ~ {_FINGERPRINTED}", stamped)
        lines += self._stamps()
        if rules.clean_urls:
            bare = rf"(?s)^(?P<homeport_sent>{_NORMAL})/(?:[?][^ ]*)? (?P<homeport_bare>/.+)/(?!.)"
            lines += [f"set $homeport_bare {NOWHERE};", 'set $homeport_both "$request_uri $uri";']
            lines += when(f"$homeport_both ~ {fixed(bare)}", [])
        lines += redirects.raised(self.flags)
        lines += redirects.pieces(max(self.forced.pieces, self.others.pieces))

    def _stamps(self) -> list[str]:
        """What a fingerprinted name may have, and what it may not."""
        before, stamped = [], []
        if self.rules.fallback:
            before.append(f"set $homeport_fallback {text('/' + self.rules.fallback)};")
            stamped.append(f"set $homeport_fallback {NOWHERE};")
        if any(one.stands_in for one in self.rules.redirects):
            before.append("set $homeport_wild $uri;")
            stamped.append("set $homeport_wild -;")
        if self.bridge:
            before.append(f"set $homeport_earlier {NOWHERE};")
            stamped.append("set $homeport_earlier $uri;")
        return before + (when(self._is_stamped(), stamped) if stamped else [])

    def _is_stamped(self) -> str:
        """Whether the path itself is; where its page was looked at for that, NGINX needs no second expression."""
        return f"$uri ~ {_FINGERPRINTED}" if self.pages == self.stamped else '$homeport_stamp = ""'

    def _files(self) -> None:
        tries = ["$uri$homeport_index", *(["$uri$homeport_html"] if self.rules.clean_urls else [])]
        lines = [*self.forced.lines, f"try_files {' '.join(tries)} @folder;"]
        if self.conf.guard.password and self.forced.lines:
            self.made.locations += location("/", [f"try_files {NOWHERE} @site;"])
            self.made.locations += location("@site", lines)
        else:
            self.made.locations += location("/", lines)

    def _folder(self) -> None:
        """No file: a folder, a page without its slash, another redirect, or what stands in."""
        lines = []
        if self.rules.clean_urls:
            sent = [*self.away, "return 301 $homeport_sent$is_args$args;"]
            lines += when("-f $document_root$homeport_bare.html", sent)
        lines += ["# NGINX itself gives a folder its slash, and escapes what it sends."]
        lines += when("-f $request_filename/index.html", [*self.away, "break;"])
        lines += self.others.lines
        lines += self._last("@earlier" if self.bridge else "=404")
        self.made.locations += location("@folder", lines)

    def _last(self, otherwise: str) -> list[str]:
        if not self.rules.fallback:
            return [f"try_files {NOWHERE} {otherwise};"]
        cache = f"set $homeport_cache {self._policy_of('/' + self.rules.fallback)};"
        return [cache, f"try_files $homeport_fallback {otherwise};"]

    def _in_place(self) -> None:
        shown = [one for one in self.rules.redirects if one.in_place]
        kinds = {one.status for one in shown}
        for status in sorted(kinds):
            jump = f"error_page {SHOWN[status]} ={'' if status == 200 else status} @shown{status};"
            self.made.jumps.append(jump)
            self.made.locations += location(f"@shown{status}", self._shown(status, shown))
        if 200 in kinds and self.pages != self.stamped:
            self.made.jumps.append(f"error_page {STAMPED} = @stamped;")
            self.made.locations += location("@stamped", [f"set $homeport_cache {self.stamped};", _TRIES])

    def _shown(self, status: int, those: list[Redirect]) -> list[str]:
        cache = self.pages if status == 200 else "no-store"
        lines = [
            f"set $homeport_cache {cache};",
            'rewrite "(?s)^" $homeport_show;',
            f"rewrite {fixed(_HIDDEN)} {NOWHERE};",
            f"rewrite {_SLASH} ${{uri}}index.html;",
        ]
        if status == 200 and self.pages != self.stamped:
            lines += when(f"$uri ~ {_FINGERPRINTED}", [f"return {STAMPED};"])
        return [*lines, "break;", _TRIES]


_FINGERPRINTED = fixed(serving.FINGERPRINTED)
_TRIES = "try_files $uri $uri.html $uri/index.html =404;"
