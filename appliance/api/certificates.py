"""Certificates of URLs, and the internal CA."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body
from appliance.api.shapes import CertificateShape, of_certificate
from appliance.api.urls import host_of
from appliance.model.certificates import CertificateWish
from appliance.projects import certificates as operations
from appliance.web.routes import actor_of, ctx_of, doc


@doc("Show a URL's certificate", returns=CertificateShape)
def shown(request: Request) -> Response:
    return answer(of_certificate(operations.find_certificate(ctx_of(request), host_of(request))))


@doc("Set where a URL's certificate comes from", body=CertificateWish, returns=CertificateShape, status=202)
async def put(request: Request) -> Response:
    wish = CertificateWish.parse(await body(request))
    ctx, actor, host = ctx_of(request), actor_of(request), host_of(request)
    return answer(of_certificate(await run_in_threadpool(operations.set_certificate, ctx, actor, host, wish)), 202)


@doc("Take a URL's certificate away", returns=CertificateShape, status=202)
def removed(request: Request) -> Response:
    ctx, actor, host = ctx_of(request), actor_of(request), host_of(request)
    return answer(of_certificate(operations.remove_certificate(ctx, actor, host)), 202)


@doc("Renew a URL's certificate now", returns=CertificateShape, status=202)
def renewed(request: Request) -> Response:
    ctx, actor, host = ctx_of(request), actor_of(request), host_of(request)
    return answer(of_certificate(operations.renew_certificate(ctx, actor, host)), 202)


@doc("Download the root certificate of the internal CA, as PEM")
def root(request: Request) -> Response:
    """For everybody who is to trust it; there is nothing secret in it."""
    text = operations.internal_root(ctx_of(request))
    headers = {"Content-Disposition": 'attachment; filename="homeport-ca.crt"'}
    return Response(text, media_type="application/x-x509-ca-cert", headers=headers)
