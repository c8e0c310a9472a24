"""What every served site is like, whichever backend serves it: types, names, headers and the pages of our own."""

import re
from urllib.parse import quote_from_bytes

TYPES: dict[str, tuple[str, ...]] = {
    "application/atom+xml": ("atom",),
    "application/epub+zip": ("epub",),
    "application/geo+json": ("geojson",),
    "application/gpx+xml": ("gpx",),
    "application/gzip": ("gz", "tgz"),
    "application/java-archive": ("jar",),
    "application/json": ("json", "map", "topojson"),
    "application/ld+json": ("jsonld",),
    "application/manifest+json": ("webmanifest",),
    "application/msword": ("doc",),
    "application/pdf": ("pdf",),
    "application/rss+xml": ("rss",),
    "application/rtf": ("rtf",),
    "application/toml": ("toml",),
    "application/vnd.android.package-archive": ("apk",),
    "application/vnd.apple.mpegurl": ("m3u8",),
    "application/vnd.google-earth.kml+xml": ("kml",),
    "application/vnd.google-earth.kmz": ("kmz",),
    "application/vnd.ms-excel": ("xls",),
    "application/vnd.ms-fontobject": ("eot",),
    "application/vnd.ms-powerpoint": ("ppt",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/wasm": ("wasm",),
    "application/x-7z-compressed": ("7z",),
    "application/x-bzip2": ("bz2",),
    "application/x-tar": ("tar",),
    "application/x-xz": ("xz",),
    "application/xhtml+xml": ("xhtml",),
    "application/xml": ("xml", "xsl", "xsd"),
    "application/yaml": ("yaml", "yml"),
    "application/zip": ("zip",),
    "application/zstd": ("zst",),
    "audio/aac": ("aac",),
    "audio/flac": ("flac",),
    "audio/midi": ("mid", "midi"),
    "audio/mp4": ("m4a",),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("oga", "ogg", "opus"),
    "audio/wav": ("wav",),
    "audio/webm": ("weba",),
    "font/collection": ("ttc",),
    "font/otf": ("otf",),
    "font/ttf": ("ttf",),
    "font/woff": ("woff",),
    "font/woff2": ("woff2",),
    "image/apng": ("apng",),
    "image/avif": ("avif",),
    "image/bmp": ("bmp",),
    "image/gif": ("gif",),
    "image/heic": ("heic",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/jxl": ("jxl",),
    "image/png": ("png",),
    "image/svg+xml": ("svg",),
    "image/tiff": ("tif", "tiff"),
    "image/webp": ("webp",),
    "image/x-icon": ("ico", "cur"),
    "model/gltf+json": ("gltf",),
    "model/gltf-binary": ("glb",),
    "model/stl": ("stl",),
    "text/calendar": ("ics",),
    "text/css": ("css",),
    "text/csv": ("csv",),
    "text/html": ("html", "htm"),
    "text/javascript": ("js", "mjs", "cjs"),
    "text/markdown": ("md", "markdown"),
    "text/plain": ("txt", "text", "log", "ini", "conf"),
    "text/tab-separated-values": ("tsv",),
    "text/vcard": ("vcf",),
    "text/vtt": ("vtt",),
    "video/mp2t": ("ts",),
    "video/mp4": ("mp4", "m4v"),
    "video/mpeg": ("mpeg", "mpg"),
    "video/ogg": ("ogv",),
    "video/quicktime": ("mov",),
    "video/webm": ("webm",),
    "video/x-matroska": ("mkv",),
    "video/x-msvideo": ("avi",),
}
OTHER = "application/octet-stream"
HTML = "text/html; charset=utf-8"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
REALM = "This site asks for a password"
RETRY_AFTER = 600  # seconds, while the maintenance page stands

# A name made from its content, so that another content has another name. The same for Python and PCRE, without quotes:
# a path below a folder where a builder puts nothing else; or a name that ends with a dot, dash or underscore, a hash
# and an ending. Words, dates, versions and pages are none: what is wrongly kept for a year is worse than asking again.
_BUILT = "_next/static/|_app/immutable/|_nuxt/(?!builds/)|_astro/"
_HEX = "(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}"
_WORD = "(?:[A-Z]?[a-z]+|[A-Z]+)?[0-9]*"
_NO_WORDS = f"(?=[^.]{{0,7}}[A-Z])(?!{_WORD}(?:[_-]{_WORD})*[.])"
_MIXED = f"(?=[^.]{{0,7}}[0-9][^.]{{0,6}}[A-Za-z]){_NO_WORDS}[A-Za-z0-9_-]{{8}}"
_BESIDE = f"{_NO_WORDS}(?!(?:[A-Z]?[a-z]+){{2}}[0-9]*[.])[A-Za-z0-9_-]{{8}}"
_ENDING = "(?:[.](?!html?(?!.))[A-Za-z0-9]+){1,3}(?!.)"
FINGERPRINTED = (
    "(?s)^(?!.*/(?!.))/(?:"
    f"(?:.*/)?(?:{_BUILT})"
    f"|.*[._-](?:{_HEX}|{_MIXED}){_ENDING}"
    f"|(?:.*/)?[0-9a-f]{{20,64}}{_ENDING}"
    f"|(?:.*/)?assets/[^/]*[.-]{_BESIDE}{_ENDING}"
    ")"
)
_FINGERPRINTED = re.compile(FINGERPRINTED.encode())
_PLAIN = "!$&'()*+,-./:;=@[]_~"  # what NGINX leaves as it is in a Location


def with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


BY_ENDING = {ending: with_charset(kind) for kind, endings in TYPES.items() for ending in endings}


def type_of(name: str) -> str:
    """The content type of a file, by the ending of its name. A name that only begins with a dot has no ending."""
    stem, _, ending = name.rpartition(".")
    return BY_ENDING.get(ending.lower(), OTHER) if stem else OTHER


def is_fingerprinted(path: bytes) -> bool:
    """Whether a path, from its slash on, is of a name that changes with its content."""
    return _FINGERPRINTED.match(path) is not None


def escaped(path: bytes) -> bytes:
    """A path for a Location."""
    return quote_from_bytes(path, safe=_PLAIN).encode()


def _page(title: str, text: str) -> str:
    """One line without quotes, dollars or backslashes, so that it can stand in an NGINX file as it is."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=width=device-width>"
        f"<title>{title}</title><style>:root{{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}}"
        "body{max-width:32rem;margin:20vh auto;padding:0 1.5rem}</style>"
        f"<h1>{title}</h1><p>{text}</html>"
    )


NOT_FOUND = _page("Page not found", "There is nothing at this address.")
NOT_ALLOWED = _page("Not allowed", "This site can only be read: send GET or HEAD.")
OUTSIDE = _page(
    "Not from here", "This site is shown only to visitors from certain addresses, and yours is not one of them."
)
NOT_SIGNED_IN = _page("Password needed", "This site is shown to those who know its password.")


def maintenance(message: str) -> str:
    """The page that stands before a site that is not to be seen now. What is in the message is text, whatever it is."""
    text = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\"'$\\":
        text = text.replace(mark, f"&#{ord(mark)};")
    return _page("Back soon", text)
