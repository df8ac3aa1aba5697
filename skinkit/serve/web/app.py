"""The routes of the server."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated

import fastapi
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from skinkit import __version__
from skinkit.serve.store import DONE, FAILED
from skinkit.serve.web import metrics, schemas
from skinkit.serve.web.api_page import api_page
from skinkit.serve.web.desk import AGAIN, BUSY, Desk
from skinkit.serve.web.problems import Problem, add_handlers
from skinkit.serve.web.uploads import receive_files
from skinkit.serve.worker.model_card import NOTICE

PAGE = Path(__file__).parents[1] / "page"
_LARGEST_PLACE = 2**31 - 1

_ROUTES = APIRouter()
Model = Annotated[str | None, Query(description="Name of a model; without it, the server's default")]
Place = Annotated[int, fastapi.Path(ge=0, le=_LARGEST_PLACE, description="Position of the image, from 0")]
Label = Annotated[str | None, Query(description="The class to explain; without it, the predicted one")]
_RETRY = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}


def make_app(store, settings, counted, has_page=True):
    """Returns the application; `skinkit.serve.web.access.Guard` belongs around it.

    Args:
        store: `skinkit.serve.store.Store`.
        settings: `skinkit.serve.settings.LiveSettings`.
        counted: `skinkit.serve.web.metrics.Metrics`.
        has_page: Boolean, whether the page is served beside the API.
    """
    app = FastAPI(
        title="skinkit serve", version=__version__, description=NOTICE, docs_url=None, redoc_url=None
    )
    app.state.desk = Desk(store, settings, counted)
    add_handlers(app)
    app.include_router(_ROUTES)
    has_page = has_page and PAGE.is_dir()
    if has_page:
        app.mount("/app", StaticFiles(directory=PAGE, html=True))
    # Relative, for a server that lies below a path of another one.
    app.add_api_route(
        "/", lambda: RedirectResponse("app/" if has_page else "docs", 302), include_in_schema=False
    )
    page = api_page(app.openapi())
    app.add_api_route("/docs", lambda: HTMLResponse(page), include_in_schema=False)
    return app


def _desk(request):
    return request.app.state.desk


def _address(request, job):
    """The address of a task, below the path at which the server lies."""
    return {"Location": request.url_for("from_task", task_uuid=job.id).path}


def _state(job):
    content = {"state": job.state, "done": job.done, "num_images": job.images}
    return JSONResponse(content, 202, {"Retry-After": str(AGAIN)})


@_ROUTES.get("/public_models", responses=schemas.problems())
def public_models(request: Request) -> schemas.Models:
    """Lists the models that can be asked."""
    return schemas.Models(models=sorted(_desk(request).cards()))


@_ROUTES.get("/models/{model_id}", responses=schemas.problems(404, 422, 503))
def model(request: Request, model_id: str) -> schemas.Card:
    """Tells what a model is, what it was measured to be worth, its leakage, and how long images are kept."""
    desk = _desk(request)
    return JSONResponse({**desk.card(model_id, unknown=404), "kept_seconds": desk.times.task})


async def _take_in(request, model_id, field, most):
    desk = _desk(request)
    card = await run_in_threadpool(desk.card, model_id)
    with desk.intake.room(desk.limits) as take:
        files = await receive_files(request, field, most, desk.settings.current, take)
        # Few threads of their own: many that decode at once would keep all others waiting.
        return await asyncio.to_thread(desk.take_in, request.state.owner, card["id"], files)


@_ROUTES.post(
    "/predict",
    openapi_extra=schemas.upload_form("file", several=False),
    responses={202: {"model": schemas.Task}, **schemas.problems(403, 408, 413, 415, 422, 503, 507)},
)
async def predict(request: Request, model_id: Model = None) -> schemas.Task:
    """Classifies one image; the answer is 202 where it takes long."""
    job = await _take_in(request, model_id, "file", 1)
    desk = _desk(request)
    is_done = await desk.waiting.until_ended(job.id, desk.times.answer)
    return JSONResponse({"task_uuid": job.id}, 200 if is_done else 202, _address(request, job))


@_ROUTES.post(
    "/predict_bulk",
    status_code=202,
    openapi_extra=schemas.upload_form("files", several=True),
    responses=schemas.problems(403, 408, 413, 415, 422, 503, 507),
)
async def predict_bulk(request: Request, model_id: Model = None) -> schemas.Tasks:
    """Takes images in, to be classified; the result is asked for by the task's uuid."""
    job = await _take_in(request, model_id, "files", _desk(request).limits.files)
    content = {"task_uuid": job.id, "num_images": job.images}
    return JSONResponse(content, 202, _address(request, job))


@_ROUTES.get(
    "/from_task/{task_uuid}",
    responses={
        202: {"model": schemas.State, "headers": _RETRY},
        **schemas.problems(404, 410, 422, 500),
    },
)
def from_task(request: Request, task_uuid: uuid.UUID) -> list[schemas.Answer]:
    """Returns the answers of a task in the order of its images, or how far it is."""
    desk = _desk(request)
    job = desk.task(request.state.owner, task_uuid)
    if job.state != DONE:
        return _state(job)
    # They are JSON already.
    return Response(b"[%b]" % b",".join(desk.store.answers(job.id)), media_type="application/json")


@_ROUTES.delete("/from_task/{task_uuid}", status_code=204, responses=schemas.problems(403, 404, 410, 422))
def delete_task(request: Request, task_uuid: uuid.UUID) -> None:
    """Cancels a task, and forgets its images and results."""
    _desk(request).delete(request.state.owner, task_uuid)
    return Response(status_code=204)


@_ROUTES.get(
    "/from_task/{task_uuid}/{index}/explanation",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
        202: {"model": schemas.State, "headers": _RETRY, "content": {"application/json": {}}},
        **schemas.problems(404, 409, 410, 422, 500, 503),
    },
)
async def explanation(request: Request, task_uuid: uuid.UUID, index: Place, label: Label = None):
    """Draws where in an image the network finds a class (Grad-CAM); the answer is 202 where it takes long."""
    desk = _desk(request)
    wanted = await run_in_threadpool(desk.explanation, request.state.owner, task_uuid, index, label)
    await desk.waiting.until_ended(wanted.id, desk.times.answer)
    job = await run_in_threadpool(desk.store.get, wanted.id)
    if job is None:
        raise Problem(410, "The task has expired or was deleted.")
    if job.state == FAILED:
        raise Problem(500, f"The explanation has failed. {job.reason}")
    if job.state != DONE:
        return _state(job)
    (overlay,) = await run_in_threadpool(desk.store.answers, job.id)
    return Response(overlay, media_type="image/png")


@_ROUTES.get("/healthz", responses=schemas.problems())
async def healthz() -> schemas.Health:
    """Says that the server runs."""
    return schemas.Health(state="alive")


@_ROUTES.get("/readyz", responses=schemas.problems(503))
def readyz(request: Request) -> schemas.Health:
    """Says whether a worker is ready; it names no model, as it asks for no token."""
    if _desk(request).cards():
        return schemas.Health(state="ready")
    raise Problem(503, "No worker is ready: they load the models.", retry_after=BUSY)


@_ROUTES.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **schemas.problems()},
)
def prometheus(request: Request):
    """Returns numbers about the server in Prometheus' text format."""
    return Response(_desk(request).counted.text(), media_type=metrics.CONTENT_TYPE)
