"""The cookie that a session is in."""

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import sessions
from appliance.access.sessions import SignedIn
from appliance.web.middleware import COOKIE, SECURE_COOKIE


def keep_session(request: Request, response: Response, done: SignedIn) -> Response:
    """Out of reach of scripts and of other sites; over HTTPS, of every other host too."""
    secure = bool(request.state.secure)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        done.token,
        max_age=int(sessions.LASTS.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response
