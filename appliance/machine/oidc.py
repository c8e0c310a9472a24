"""OpenID Connect: an issuer found by its discovery document, and an ID token believed only as far as it goes."""

import hmac
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import jwt

from appliance.machine import oauth
from appliance.machine.oauth import Client, Flow, NotBelieved, Who

ALGORITHMS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}  # each with the kind of key that it takes
SCOPE = "openid email"
LEEWAY = 60  # seconds that clocks may differ
REMEMBERED = 3600.0  # seconds for which discovery and keys are not asked for again
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Issuer:
    """What the discovery document says."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    by_post: bool  # the secret goes in the form; else in a header
    algorithms: tuple[str, ...]


class _Memory:
    """What issuers said lately."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, url: str) -> Any:
        with self._lock:
            at, found = self._known.get(url, (0.0, None))
        return found if monotonic() - at < REMEMBERED else None

    def put(self, url: str, found: Any) -> None:
        with self._lock:
            self._known = dict(list(self._known.items())[-100:]) | {url: (monotonic(), found)}


_issuers, _keys = _Memory(), _Memory()


def begin(client: Client, flow: Flow) -> str:
    more = {"nonce": flow.nonce} | ({"prompt": "login"} if flow.fresh else {})
    return oauth.authorization(discover(client.issuer).authorization, client, flow, SCOPE, **more)


def finish(client: Client, flow: Flow, code: str) -> Who:
    """Exchange the code, and see who it was for."""
    issuer = discover(client.issuer)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.back,
        "code_verifier": flow.verifier,
    }
    if issuer.by_post or not client.secret:
        form |= {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
        answered = oauth.fetch(issuer.token, form=form)
    else:
        answered = oauth.fetch(issuer.token, form=form, basic=client)
    token = oauth.token_of(issuer.token, *answered)
    claims = verified(issuer, client, str(token.get("id_token", "")), flow.nonce)
    return _who(claims if "email" in claims else {**_userinfo(issuer, claims, token), **claims})


def discover(address: str, *, anew: bool = False) -> Issuer:
    """What the issuer says of itself. It has to be the one that was asked."""
    found = None if anew else _issuers.get(address)
    if isinstance(found, Issuer):
        return found
    url = f"{address.rstrip('/')}/.well-known/openid-configuration"
    status, said = oauth.fetch(url)
    if status != 200 or not isinstance(said, dict):
        raise NotBelieved(f"{url} answered {status}.", permanent=False, todo=("Check the issuer's address.",))
    lacking = [name for name in NEEDED if not isinstance(said.get(name), str)]
    if lacking:
        raise NotBelieved(f"{url} does not say {', '.join(lacking)}.", permanent=False)
    if str(said.get("issuer", "")).rstrip("/") != address.rstrip("/"):
        raise NotBelieved(f"{url} speaks for {str(said.get('issuer'))[:200]!r}, not for {address}.", permanent=False)
    for name in NEEDED:
        oauth.refuse_in_the_clear(said[name])
    found = _issuer(said)
    _issuers.put(address, found)
    return found


def keys_of(issuer: Issuer, *, anew: bool = False) -> Sequence[Mapping[str, Any]]:
    found = None if anew else _keys.get(issuer.keys)
    if found is None:
        status, said = oauth.fetch(issuer.keys)
        found = said.get("keys") if status == 200 and isinstance(said, dict) else None
        if not isinstance(found, list):
            raise NotBelieved(f"{issuer.keys} answered {status} without keys.", permanent=False)
        _keys.put(issuer.keys, found)
    return [one for one in found if isinstance(one, dict)]


def verified(issuer: Issuer, client: Client, token: str, nonce: str) -> Mapping[str, Any]:
    """The claims of an ID token: signed by a key of the issuer's, for us, for this very sign-in, and not over."""
    try:
        claims = jwt.decode(
            token,
            _key_for(issuer, jwt.get_unverified_header(token)),
            algorithms=list(ALGORITHMS),
            audience=client.id,
            issuer=issuer.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as why:
        raise NotBelieved(f"The ID token of {issuer.issuer} is not good: {why}.", permanent=True) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client.id) != client.id:
        raise NotBelieved(f"The ID token of {issuer.issuer} was made for another client.", permanent=True)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotBelieved(f"The ID token of {issuer.issuer} was made for another sign-in.", permanent=True)
    return dict(claims)


def _key_for(issuer: Issuer, header: Mapping[str, Any]) -> jwt.PyJWK:
    """Looked for once more where the issuer may have new ones. What the token says never chooses beyond our list."""
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise NotBelieved(
            f"The ID token of {issuer.issuer} is signed by {str(algorithm)[:20]!r}, which is not taken.", permanent=True
        )
    for anew in (False, True):
        fitting = [one for one in keys_of(issuer, anew=anew) if _fits(one, algorithm, header.get("kid"))]
        if len(fitting) == 1:
            return jwt.PyJWK.from_dict(dict(fitting[0]), algorithm=algorithm)
    raise NotBelieved(f"The ID token of {issuer.issuer} is signed by a key that it does not publish.", permanent=True)


def _fits(key: Mapping[str, Any], algorithm: str, kid: object) -> bool:
    return (
        key.get("kty") == ALGORITHMS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    )


def _userinfo(issuer: Issuer, claims: Mapping[str, Any], token: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some keep the address there. It has to speak of the same person."""
    if not issuer.userinfo or not isinstance(token.get("access_token"), str):
        return {}
    status, said = oauth.fetch(issuer.userinfo, token=token["access_token"])
    if status != 200 or not isinstance(said, dict) or said.get("sub") != claims["sub"]:
        return {}
    return {name: said[name] for name in ("email", "email_verified") if name in said}


def _who(claims: Mapping[str, Any]) -> Who:
    email = claims.get("email")
    good = isinstance(email, str) and 0 < len(email) <= oauth.LONGEST and email.isprintable()
    verified_there = claims.get("email_verified") in (True, "true")
    return Who(oauth.subject_of(claims["sub"]), str(email) if good else "", good and verified_there)


def _issuer(said: Mapping[str, Any]) -> Issuer:
    methods = said.get("token_endpoint_auth_methods_supported")
    by_post = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    algorithms = said.get("id_token_signing_alg_values_supported")
    return Issuer(
        str(said["issuer"]),
        said["authorization_endpoint"],
        said["token_endpoint"],
        said["jwks_uri"],
        str(said.get("userinfo_endpoint") or ""),
        by_post,
        tuple(str(one) for one in algorithms) if isinstance(algorithms, list) else ("RS256",),
    )
