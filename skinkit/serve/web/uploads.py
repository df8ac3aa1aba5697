"""The files of a multipart request, counted while they come."""

import asyncio
import contextlib

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from skinkit.serve.settings import MIB
from skinkit.serve.web.problems import Problem

# Fields of a form that are passed over.
_OTHER_FIELDS = 16
# Seconds after which there may be room again.
_LATER = 10


class Intake:
    """The uploads that are on their way, which lie in memory together."""

    def __init__(self):
        self.held = 0

    @contextlib.contextmanager
    def room(self, limits):
        """Yields the function that takes room for so many bytes, until the upload is stored or refused.

        Args:
            limits: `skinkit.serve.settings.Limits`.

        Raises:
            Problem: 503 where uploads have too many bytes together.
        """
        mine = 0

        def take(count):
            nonlocal mine
            if self.held + count > limits.uploads_mib * MIB:
                raise Problem(503, "Too many uploads are on their way.", retry_after=_LATER)
            mine, self.held = mine + count, self.held + count

        try:
            yield take
        finally:
            self.held -= mine


async def receive_files(request, field, most, settings, take):
    """Returns the files of one field of a multipart request, as pairs of name and bytes.

    Args:
        request: `starlette.requests.Request`.
        field: String, name of the form's field; others are passed over.
        most: Integer, largest number of files.
        settings: `skinkit.serve.settings.Settings`.
        take: Function that is told of the bytes as they come.

    Raises:
        Problem: 413 as soon as there is too much; 408 when it takes too long; 415 for another kind of
            request, or no file.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Problem(415, f"Send multipart/form-data with the image in the field `{field}`.")
    limits, seconds = settings.limits, settings.times.upload
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.request_mib * MIB:
        raise _too_large(limits)
    files = _Files(options[b"boundary"], field, most, limits)
    try:
        async with asyncio.timeout(seconds):
            await _receive(request, files, limits, take)
    except TimeoutError:
        raise Problem(408, f"An upload takes at most {seconds} seconds.") from None
    if not files.found:
        raise Problem(415, f"There is no file in the field `{field}`.")
    return [(name, bytes(content)) for name, content in files.found]


async def _receive(request, files, limits, take):
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limits.request_mib * MIB:
            raise _too_large(limits)
        take(len(chunk))
        files.feed(chunk)


def _too_large(limits):
    return Problem(413, f"A request has at most {limits.request_mib} MiB. Send the images in several.")


class _Files:
    """What has come of a multipart body so far."""

    def __init__(self, boundary, field, most, limits):
        self.field, self.most, self.limits = field, most, limits
        self.found, self._content, self._headers = [], None, {}
        self._name, self._value, self._parts = b"", b"", 0
        on = ("part_begin", "header_field", "header_value", "header_end", "headers_finished", "part_data")
        self._parser = MultipartParser(boundary, {f"on_{name}": getattr(self, f"_on_{name}") for name in on})

    def feed(self, chunk):
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem(400, f"The request is not multipart/form-data: {error}.") from error

    def _on_part_begin(self):
        self._headers, self._content = {}, None
        self._parts += 1
        if self._parts > self.most + _OTHER_FIELDS:
            raise Problem(413, f"At most {self.most} files and {_OTHER_FIELDS} other fields are taken.")

    def _on_header_field(self, data, start, end):
        self._name += data[start:end]

    def _on_header_value(self, data, start, end):
        self._value += data[start:end]

    def _on_header_end(self):
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _on_headers_finished(self):
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if options.get(b"name") != self.field.encode() or b"filename" not in options:
            return
        if len(self.found) == self.most:
            raise Problem(413, f"At most {self.most} files are taken in the field `{self.field}`.")
        self._content = bytearray()
        self.found.append((options[b"filename"].decode("utf-8", "replace"), self._content))

    def _on_part_data(self, data, start, end):
        if self._content is None:
            return
        self._content += data[start:end]
        if len(self._content) > self.limits.file_mib * MIB:
            raise Problem(413, f"A file has at most {self.limits.file_mib} MiB.", file=self.found[-1][0])
