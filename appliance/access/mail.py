"""E-mail to people: written down with what it is about, and sent by a job that tries a few times."""

import logging
from datetime import timedelta

from appliance.access.actor import HOMEPORT, Actor
from appliance.access.address import own_address
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, HomeportError, Invalid, RemoteFailed
from appliance.events import JobAdded
from appliance.machine import clock, smtp
from appliance.model.checks import Check
from appliance.model.mails import Mail
from appliance.process_log import TOLD, tell
from appliance.settings import Settings
from appliance.store import jobs, mails, people
from appliance.store.db import Connection

KIND = "mail"
WAITS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20))
MEND = ("Test the settings in Settings, E-mail.",)
logger = logging.getLogger("homeport.mail")


def is_set(settings: Settings) -> bool:
    return bool(settings.smtp_host and settings.smtp_from)


def server(settings: Settings) -> smtp.Server:
    if not is_set(settings):
        raise Conflict(
            "No mail server is set.", code="no_mail", todo=("Enter its host and the sender in Settings, E-mail.",)
        )
    return smtp.Server(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_from,
    )


def post(ctx: Context, db: Connection, to: str, subject: str, text: str) -> None:
    """In the transaction of what it is about; whoever opened that announces `JobAdded`."""
    mail_id = clock.new_id()
    body = ctx.seal(db, "mails", mail_id, text)
    mails.add(db, Mail(mail_id, to, subject, body, ctx.moment()))
    jobs.add(db, KIND, mail_id, queue=f"mail {mail_id}", at=ctx.moment())


def deliver(ctx: Context, mail_id: str, _: int) -> None:
    """The job. What can't be sent now is tried again later, and in the end given up and written down."""
    mail = mails.find(ctx.db.read(), mail_id)
    if mail is None:
        return
    try:
        text = ctx.unseal("mails", mail.id, mail.body)
        smtp.send(server(ctx.settings), smtp.Message(mail.to, mail.subject, text))
    except (RemoteFailed, Conflict) as why:
        permanent = why.permanent if isinstance(why, RemoteFailed) else True
        _failed(ctx, mail, " ".join((why.detail, why.said)).strip(), permanent=permanent)
        return
    _over(ctx, mail, "")


def _failed(ctx: Context, mail: Mail, why: str, *, permanent: bool) -> None:
    said = ctx.redact(why)
    if permanent or mail.tries >= len(WAITS):
        logger.warning("“%s” to %s was given up: %s", mail.subject, mail.to, said, extra=TOLD)
        _over(ctx, mail, said)
        tell(ctx, "mail", f"“{mail.subject}” to {mail.to} was given up: {said}", level="error", todo=MEND)
        return
    with ctx.write(JobAdded()) as db:
        mails.tried(db, mail.id)
        jobs.add(db, KIND, mail.id, queue=f"mail {mail.id}", at=clock.text(ctx.now() + WAITS[mail.tries]))
    tell(ctx, "mail", f"“{mail.subject}” to {mail.to} can't be sent now and is tried again: {said}", level="warn")


def _over(ctx: Context, mail: Mail, why: str) -> None:
    with ctx.write() as db:
        mails.remove(db, mail.id)
        if why:
            record(ctx, db, HOMEPORT, "mail.failed", mail.to, about=mail.subject, why=why)
        else:
            record(ctx, db, HOMEPORT, "mail.sent", mail.to, about=mail.subject)
    if not why:
        tell(ctx, "mail", f"“{mail.subject}” was sent to {mail.to}.")


def test(ctx: Context, actor: Actor, settings: Settings, to: str) -> list[Check]:
    """Sends a message with these settings now, and says how far it came."""
    need(actor, "sign_in.update")
    to = to or _address_of(ctx, actor)
    try:
        with_whom = server(settings)
        smtp.try_out(with_whom)
    except (RemoteFailed, Conflict) as why:
        return [_check("mail server", why)]
    reached = Check("mail server", "ok", f"{with_whom.name} answers{_how(with_whom)}.")
    try:
        smtp.send(with_whom, smtp.Message(to, "A test from Homeport", _TEST.format(address=own_address(ctx))))
    except RemoteFailed as why:
        return [reached, _check("message", why)]
    return [reached, Check("message", "ok", f"It took a message to {to}. Look whether it arrives.")]


def _address_of(ctx: Context, actor: Actor) -> str:
    person = people.find(ctx.db.read(), actor.person_id)
    if person is None:
        raise Invalid({"to": "Enter an e-mail address"})
    return person.email


def _how(with_whom: smtp.Server) -> str:
    safe = {"tls": " over TLS", "starttls": " and goes on over TLS"}.get(with_whom.security, ", without encryption")
    return f"{safe}, and knows {with_whom.user}" if with_whom.user else safe


def _check(name: str, why: HomeportError) -> Check:
    said = f" It said: {why.said}" if why.said else ""
    return Check(name, "failed", f"{why.detail}{said}", " ".join(why.todo))


_TEST = """\
This is a test of the e-mail settings of Homeport at {address}.

There is nothing to do.
"""
