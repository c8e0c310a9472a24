"""The smaller forms of a content that browsers take: gzip, brotli and zstd."""

import gzip

LEAST = 1024  # bytes below which nothing is won: the answer fits in one packet anyway
MOST = 16 << 20  # bytes of a content that is compressed: it is held whole
WORTH = 0.95  # of its size; what comes out larger isn't kept
ENDINGS = ("br", "gz", "zst")
_BROTLI, _GZIP, _ZSTD = 10, 9, 15  # beyond these, half a percent costs twice the time
_LARGE, _BROTLI_LARGE = 1 << 20, 8


def forms(data: bytes) -> dict[str, bytes]:
    """By the ending that each has beside its file; empty bytes for one that is not worth it."""
    import brotli
    from backports import zstd

    quality = _BROTLI if len(data) <= _LARGE else _BROTLI_LARGE
    made = {
        "br": brotli.compress(data, quality=quality),
        "gz": gzip.compress(data, _GZIP, mtime=0),
        "zst": zstd.compress(data, _ZSTD),
    }
    return {ending: form if len(form) <= len(data) * WORTH else b"" for ending, form in made.items()}
