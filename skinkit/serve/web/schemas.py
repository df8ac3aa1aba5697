"""The shapes of requests and answers, as `/openapi.json` shows them."""

from pydantic import BaseModel, ConfigDict

from skinkit.serve.web.problems import MEDIA_TYPE


class Models(BaseModel):
    """The names of the models that can be asked."""

    models: list[str]


class Task(BaseModel):
    """A task that was accepted."""

    task_uuid: str


class Tasks(Task):
    """A task of several images that was accepted."""

    num_images: int


class State(BaseModel):
    """A task that has no result yet."""

    state: str
    done: int
    num_images: int


class Metadata(BaseModel):
    """What answered."""

    model_config = ConfigDict(extra="allow")
    origin: str
    net_type: str
    img_size: int
    out_dim: int


class Prediction(BaseModel):
    """What is predicted; `target` is `null` without a positive class or a threshold."""

    model_config = ConfigDict(extra="allow")
    target: bool | None
    label: int
    prediction: str


class Answer(BaseModel):
    """The answer to one image, in the keys of bermeo2023."""

    name: str
    probabilities: dict[str, float]
    metadata: Metadata
    prediction: Prediction


class Card(BaseModel):
    """A model, with its measured scores and its leakage."""

    model_config = ConfigDict(extra="allow")
    id: str
    labels: list[str]


class Health(BaseModel):
    """The state of the server."""

    state: str


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    file: str | None = None


_WHY = {
    400: "The model, the host or the request's form is not known",
    401: "A token is needed",
    403: "A page of another site asks",
    404: "There is no such task, image or model, or it is another's",
    408: "The upload took too long",
    409: "There is no result yet",
    410: "It has expired or was deleted",
    413: "Too large, or too many",
    415: "No image of a known kind",
    422: "The values do not fit",
    429: "Too many requests",
    500: "The task has failed; the detail is the worker's reason",
    503: "Too many tasks wait, or no worker is ready",
    507: "The server's disk is full",
}
_EVERYWHERE = (400, 401, 429)


def problems(*statuses):
    """Returns the `responses` of a route that may answer with these problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {
        status: {"description": _WHY[status], "model": ProblemDetails, "content": content}
        for status in sorted({*_EVERYWHERE, *statuses})
    }


def upload_form(field, several):
    """Returns the request of an upload, which is read as it comes and not by FastAPI."""
    file = {"type": "string", "format": "binary"}
    schema = {
        "type": "object",
        "required": [field],
        "properties": {field: {"type": "array", "items": file, "minItems": 1} if several else file},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
