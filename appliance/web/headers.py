"""What keeps a browser from harm, on every answer."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
SANDBOX = b"default-src 'none'; frame-ancestors 'none'; sandbox"  # for what people uploaded: it is no page of ours
SAFE_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        b"microphone=(), midi=(), payment=(), serial=(), usb=()",
    ),
    (b"cache-control", b"no-store"),
)


def with_safe_headers(headers: Iterable[Header], request_id: str) -> list[Header]:
    """What the answer says itself stays; the rest is added."""
    given = list(headers)
    names = {name for name, _ in given}
    given += [header for header in SAFE_HEADERS if header[0] not in names]
    if b"content-security-policy" not in names:
        given.append((b"content-security-policy", SANDBOX if b"content-disposition" in names else POLICY))
    given.append((b"x-request-id", request_id.encode()))
    return given
