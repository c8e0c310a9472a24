"""The least that Starlette and Uvicorn can do: one handler that returns bytes it has."""

import os
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = Path(os.environ["BODY"]).read_bytes()


async def handler(request: Request) -> Response:
    return Response(BODY, media_type="application/json")


uvicorn.run(
    Starlette(routes=[Route("/", handler)]),
    port=int(os.environ["PORT"]),
    log_level="warning",
    access_log=False,
    loop="asyncio",
    http="httptools",
    ws="none",
    lifespan="off",
)
