"""Problems: errors that a client is told as `application/problem+json` (RFC 9457)."""

import errno
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error that ends a request.

    Args:
        status: Integer, HTTP status.
        detail: String: what was received, what was expected, what to do.
        file: String, name of the uploaded file that it is about, or `None`.
        retry_after: Number of seconds after which it may go better, or `None`.
        headers: Mapping of further headers.
    """

    def __init__(self, status, detail, file=None, retry_after=None, headers=()):
        super().__init__(detail)
        self.status, self.detail, self.file = status, detail, file
        self.headers = dict(headers)
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, round(retry_after)))

    def response(self):
        """Returns the answer to the client."""
        content = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.file is not None:
            content["file"] = self.file
        return JSONResponse(content, self.status, self.headers, media_type=MEDIA_TYPE)


_NO_TABLE = Problem(503, "The table of tasks cannot be reached.", retry_after=10)


def add_handlers(app):
    """Has an application answer every error as a problem."""
    app.add_exception_handler(Problem, lambda _, error: error.response())
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(ClientDisconnect, lambda *_: Problem(400, "The upload ended early.").response())
    app.add_exception_handler(OSError, _of_system)
    app.add_exception_handler(RedisError, lambda *_: _NO_TABLE.response())
    app.add_exception_handler(Exception, _unexpected)


def _of_http(_, error):
    return Problem(error.status_code, f"{error.detail}.", headers=error.headers or {}).response()


def _of_validation(_, error):
    # Without what was received: it may be anything.
    said = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
    return Problem(422, "; ".join(said)).response()


def _of_system(_, error):
    if error.errno == errno.ENOSPC:
        detail = "The server's disk is full: nothing was stored. Try again when tasks have expired."
        return Problem(507, detail).response()
    raise error


def _unexpected(*_):
    return Problem(500, "The server failed. Its log says why.").response()
