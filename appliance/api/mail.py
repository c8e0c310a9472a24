"""E-mail: trying the settings."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import mail
from appliance.api.answers import body, page_of
from appliance.model.checks import Check
from appliance.model.mails import MailTest
from appliance.web.routes import actor_of, ctx_of, doc


@doc("Send a test message now", body=MailTest, returns=Check, listing=True, whole=True)
async def tested(request: Request) -> Response:
    ctx = ctx_of(request)
    given = MailTest.parse(await body(request))
    return page_of(await run_in_threadpool(mail.test, ctx, actor_of(request), ctx.settings, given.to), None)
