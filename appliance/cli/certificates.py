"""`homeport certificates`: HTTPS of URLs. `homeport ca`: the root that vouches for the internal ones."""

from pathlib import Path

import click

from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, no_wait_option, option, remote
from appliance.cli.show import as_json, facts, note
from appliance.client import CertificateData, Page
from appliance.errors import HomeportError

PATIENCE = 150  # seconds to wait for a certificate
SOURCES = click.Choice(["off", "acme", "internal", "upload"])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def certificates() -> None:
    """List, show, set and renew the certificates of URLs."""


@certificates.command("list")
@limit_option
@remote
def list_(*, limit: int, json_wanted: bool, server: str | None) -> None:
    """List certificates; those that end soonest come first."""
    with connect(server) as client:
        every = [url["certificate"] for url in client.all_urls()["items"] if url["certificate"]]
    every.sort(key=lambda one: (one["expires"] is None, one["expires"], one["host"]))
    page: Page[CertificateData] = {"items": every[:limit], "next": None}
    head = ("URL", "From", "Status", "Ends", "Issuer")
    empty = "No URL has a certificate yet. Get one with `homeport certificates set HOST acme`."
    listed(page, head, _row, json_wanted=json_wanted, empty=empty)


@certificates.command()
@click.argument("host")
@remote
def show(host: str, json_wanted: bool, server: str | None) -> None:
    """Show a URL's certificate."""
    with connect(server) as client:
        _print(client.certificate(host), json_wanted)


@certificates.command("set")
@click.argument("host")
@click.argument("source", type=SOURCES)
@option("--redirect/--no-redirect", default=True, show_default=True, help="Whether HTTP leads to HTTPS.")
@option("--hsts", type=click.IntRange(min=0), default=0, help="Seconds for which browsers come by HTTPS alone.")
@option(
    "--files", nargs=2, type=FILE, metavar="CHAIN KEY", help="For upload: the certificate's file and the key's, PEM."
)
@no_wait_option
@remote
def set_(
    *,
    host: str,
    source: str,
    redirect: bool,
    hsts: int,
    files: tuple[Path, Path] | None,
    no_wait: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Set where a URL's certificate comes from, and wait until it is in force.

    \b
    acme      from Let's Encrypt, or whatever ACME server is set
    internal  from an authority of Homeport's own; see `homeport ca`
    upload    one that you bring
    off       none: HTTP alone
    """
    wish: dict[str, object] = {"tls": source, "redirect": redirect, "hsts": hsts}
    wish |= {name: file.read_text() for name, file in zip(("chain", "key"), files or (), strict=False)}
    with connect(server) as client:
        found = client.set_certificate(host, wish)
        if not no_wait:
            found = client.settled_certificate(host, PATIENCE)
    _settled(found, json_wanted)


@certificates.command()
@click.argument("host")
@remote
def renew(host: str, json_wanted: bool, server: str | None) -> None:
    """Renew a URL's certificate now, whatever it has left."""
    with connect(server) as client:
        found = client.renew_certificate(host)
    if json_wanted:
        as_json(found)
    else:
        note(f"The certificate of {host} is being renewed. See `homeport certificates show {host}`.")


@click.command()
@option("--output", "-o", type=click.Path(path_type=Path), help="The file to write; printed when left out.")
@remote
def ca(output: Path | None, json_wanted: bool, server: str | None) -> None:
    """Print the root certificate of the internal CA, for browsers and systems to trust."""
    with connect(server) as client:
        text = client.internal_root()
    if json_wanted:
        as_json({"certificate": text})
    elif output:
        output.write_text(text)
        note(f"Wrote {output}.")
    else:
        click.echo(text, nl=False)


def _settled(found: CertificateData, json_wanted: bool) -> None:
    _print(found, json_wanted)
    if found["status"] == "failed":
        raise HomeportError(found["error"] or "There is no certificate.", code="certificate_failed")


def _print(one: CertificateData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(one)
        return
    facts(
        [
            ("URL", one["host"]),
            ("From", one["tls"]),
            ("Status", " ".join(filter(None, [one["status"], one["detail"]]))),
            ("Issuer", one["issuer"]),
            ("Ends", one["expires"] or ""),
            ("Renews", one["renews_at"] or ""),
            ("Redirect", "HTTP leads to HTTPS" if one["redirect"] else "no"),
            ("HSTS", f"{one['hsts']:,} seconds" if one["hsts"] else "no"),
            ("Error", one["error"] or ""),
        ]
    )


def _row(one: CertificateData) -> tuple[str, ...]:
    return one["host"], one["tls"], one["status"], (one["expires"] or "")[:10], one["issuer"]
