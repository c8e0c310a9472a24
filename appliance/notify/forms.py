"""What each kind of channel is sent: the form that the service asks for, in which no text can become a command."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance import __version__
from appliance.model.channels import key_bytes
from appliance.notify.said import Said

JSON = "application/json"
COLOURS = {"good": 0x2E7D4F, "bad": 0xC0362C, "asks": 0xB7791F}
STYLES = {"good": "Good", "bad": "Attention", "asks": "Warning"}
TAGS = {"good": "white_check_mark", "bad": "rotating_light", "asks": "raised_hand"}
PRIORITIES = {"good": 3, "bad": 4, "asks": 4}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~:@-])")
_CLOSED = "\u2060"  # joins what stands beside it, and is not seen: a word that it stands in is no command


@dataclass(frozen=True)
class Form:
    """One request, but for where it goes."""

    path: str  # what the channel's own becomes
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def slack(said: Said, path: str, _: str) -> Form:
    """Plain text in every block: only there is nothing read as a mention or a link."""
    facts = " · ".join(value for _, value in said.facts)
    blocks: list[dict[str, object]] = [{"type": "header", "text": _plain(said.title, 150)}]
    if said.detail:
        blocks.append({"type": "section", "text": _plain(said.detail, 3000)})
    blocks.append({"type": "context", "elements": [_plain(facts, 2000)]})
    open_it = f"<{_escaped(said.link).replace('|', '%7C')}|Open in Homeport>"
    blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": open_it, "verbatim": True}})
    return _json(path, {"text": _escaped(said.title), "blocks": blocks, "unfurl_links": False, "link_names": False})


def discord(said: Said, path: str, _: str) -> Form:
    """`allowed_mentions` is empty, so that nobody is called whatever a text says."""
    embed: dict[str, object] = {
        "title": _marked(said.title, 256),
        "url": said.link,
        "color": COLOURS[said.tone],
        "timestamp": said.notice.at,
        "fields": [{"name": name, "value": _marked(value, 1024), "inline": True} for name, value in said.facts],
    }
    if said.detail:
        embed["description"] = _marked(said.detail, 4000)
    return _json(path, {"username": "Homeport", "embeds": [embed], "allowed_mentions": {"parse": []}})


def teams(said: Said, path: str, _: str) -> Form:
    """An adaptive card, as a workflow takes it; without entities there is no mention in it."""
    title = {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True}
    body: list[dict[str, object]] = [{**title, "text": _marked(said.title, 500), "color": STYLES[said.tone]}]
    if said.detail:
        body.append({"type": "TextBlock", "wrap": True, "text": _marked(said.detail, 4000)})
    facts = [{"title": name, "value": _marked(value, 500)} for name, value in said.facts]
    body.append({"type": "FactSet", "facts": facts})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": "Open in Homeport", "url": said.link}],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return _json(path, {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]})


def ntfy(said: Said, path: str, token: str) -> Form:
    """To the server's own address: as JSON, so that no text stands in a header."""
    before, _, topic = path.rpartition("/")
    message = "\n".join(part for part in (said.detail, " · ".join(value for _, value in said.facts)) if part)
    body = {
        "topic": topic,
        "title": said.title,
        "message": message,
        "tags": [TAGS[said.tone]],
        "priority": PRIORITIES[said.tone],
        "click": said.link,
    }
    made = _json(f"{before}/", body)
    return Form(made.path, made.body, {**made.headers, "Authorization": f"Bearer {token}"}) if token else made


def webhook(said: Said, path: str, _: str) -> Form:
    """The notice itself, for a program. It is signed when it is sent."""
    notice = said.notice
    body = {
        "id": said.id,
        "event": notice.event,
        "at": notice.at,
        "title": said.title,
        "detail": said.detail,
        "subject": notice.subject,
        "project": notice.project,
        "environment": notice.environment,
        "deployment": notice.deployment,
        "actor": notice.actor,
        "link": said.link,
        "appliance": said.address,
    }
    return _json(path, body)


def email(said: Said, path: str, _: str) -> Form:
    return Form(path, f"{said.text}\n".encode())


FORMS: Mapping[str, Callable[[Said, str, str], Form]] = {
    "email": email,
    "slack": slack,
    "discord": discord,
    "teams": teams,
    "ntfy": ntfy,
    "webhook": webhook,
}


def signed(form: Form, delivery_id: str, seconds: int, key: str) -> Form:
    """As Standard Webhooks has it: of the id, the moment and every byte of the body."""
    covered = f"{delivery_id}.{seconds}.".encode() + form.body
    mark = base64.b64encode(hmac.new(key_bytes(key), covered, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{mark}"}
    return Form(form.path, form.body, {**form.headers, **headers})


def _json(path: str, body: object) -> Form:
    headers = {"Content-Type": JSON, "User-Agent": f"Homeport/{__version__}"}
    return Form(path, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), headers)


def _plain(text: str, most: int) -> dict[str, object]:
    return {"type": "plain_text", "text": _cut(text, most), "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _marked(text: str, most: int) -> str:
    """Every sign of Markdown as itself; it is cut before, so that no backslash is left alone at the end."""
    escaped = _MARKDOWN.sub(r"\\\1", text).replace("\\@", f"@{_CLOSED}")
    return escaped if len(escaped) <= most else _marked(text[: max(len(text) * 2 // 3, 1)].rstrip() + "…", most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
