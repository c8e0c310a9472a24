"""GitHub, where signing in is OAuth 2 and an API that says who it was."""

from typing import Any

from appliance.machine import oauth
from appliance.machine.oauth import Client, Flow, NotBelieved, Who

PUBLIC = "https://github.com"
SCOPE = "read:user user:email"


def begin(client: Client, flow: Flow) -> str:
    return oauth.authorization(f"{client.issuer}/login/oauth/authorize", client, flow, SCOPE, allow_signup="false")


def finish(client: Client, flow: Flow, code: str) -> Who:
    """Exchange the code, and ask who it was for: the number stays when the name there changes hands."""
    url = f"{client.issuer}/login/oauth/access_token"
    form = {
        "client_id": client.id,
        "client_secret": client.secret,
        "code": code,
        "redirect_uri": flow.back,
        "code_verifier": flow.verifier,
    }
    token = oauth.token_of(url, *oauth.fetch(url, form=form)).get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NotBelieved(f"{client.issuer} sent no token.", permanent=True)
    number = _asked(client, "/user", token).get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise NotBelieved(f"{client.issuer} did not say who this is.", permanent=True)
    email = _primary(_asked(client, "/user/emails", token))
    return Who(str(number), email, bool(email))


def knows(client: Client) -> None:
    """Whether the client is known there: a code that nobody was sent is refused in other words where it isn't."""
    url = f"{client.issuer}/login/oauth/access_token"
    form = {"client_id": client.id, "client_secret": client.secret, "code": "no-such-code"}
    _, said = oauth.fetch(url, form=form)
    why = said.get("error") if isinstance(said, dict) else None
    if why != "bad_verification_code":
        raise NotBelieved(
            f"{client.issuer} does not know this client, or its secret is another.",
            permanent=True,
            todo=("Copy both again from the OAuth app's page at GitHub.",),
            said=str(why)[:200],
        )


def _asked(client: Client, path: str, token: str) -> Any:
    api = "https://api.github.com" if client.issuer == PUBLIC else f"{client.issuer}/api/v3"
    status, said = oauth.fetch(f"{api}{path}", token=token)
    if status != 200:
        raise NotBelieved(f"{api}{path} answered {status}.", permanent=False)
    return said if path.endswith("emails") or isinstance(said, dict) else {}


def _primary(said: object) -> str:
    """The one address that counts there, if GitHub has seen that it is theirs."""
    rows = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    for one in rows:
        email = one.get("email")
        if one.get("primary") is True and one.get("verified") is True and isinstance(email, str):
            return email if len(email) <= oauth.LONGEST and email.isprintable() else ""
    return ""
