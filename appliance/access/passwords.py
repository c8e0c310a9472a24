"""Passwords: bcrypt, the same time for a person who is not there."""

import bcrypt

ROUNDS = 12


def hashed(password: str, rounds: int = ROUNDS) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def matches(password: str, stored: str) -> bool:
    """False for what can't be a password here, after the same work."""
    given = password.encode("utf-8", "surrogatepass").replace(b"\0", b"?")
    return bcrypt.checkpw(given[:72], stored.encode()) and len(given) <= 72


# a hash like any other; making one at every start would cost a quarter of a second
NOBODY = "$2b$12$gDPdD06Uv0DawE4KVJBf7.WRAds8nWOk1mk4Pi1Wq/pdpc8woYxTS"
