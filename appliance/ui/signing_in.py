"""The sign-in page, with every way in."""

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people.join import can_ask
from appliance.errors import HomeportError
from appliance.store import providers
from appliance.web.page import Form, render
from appliance.web.routes import ctx_of

FIELDS = ("email", "password")


def show_sign_in(request: Request, form: Form, back: str = "", code: int = 200) -> Response:
    ctx = ctx_of(request)
    ways = providers.everyone(ctx.db.read())
    by_password, joining = ctx.settings.password_sign_in, can_ask(ctx.settings)
    return render(
        request,
        "access/sign-in.html",
        code,
        form=form,
        back=back,
        ways=ways,
        by_password=by_password,
        joining=joining,
    )


def refused(why: HomeportError) -> Form:
    """For what no field is to blame for."""
    return Form({}, {"provider": " ".join((why.detail, *why.todo))}, FIELDS)
