"""Uploads: counted while they come, and not read on when there is too much."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinkit.serve.settings import MIB, Limits, Settings, Times
from skinkit.serve.web.problems import Problem
from skinkit.serve.web.uploads import Intake, receive_files


def part(name, content, field="files"):
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    return head.encode() + b"Content-Type: image/png\r\n\r\n" + content + b"\r\n"


SETTINGS = Settings()


def receive(chunks, most=64, settings=SETTINGS, take=lambda count: None, pause=0, **headers):
    """What is received of an endless or finished body, and how many of its chunks were read."""
    read = []

    async def stream():
        for chunk in chunks:
            read.append(chunk)
            await asyncio.sleep(pause)
            yield chunk

    headers = {"content-type": "multipart/form-data; boundary=x", **headers}
    request = SimpleNamespace(headers=headers, stream=stream)
    try:
        return asyncio.run(receive_files(request, "files", most, settings, take)), len(read)
    except Problem as problem:
        return problem, len(read)


def endless(*starts):
    yield from starts
    while True:
        yield bytes(MIB)


def test_the_limits_are_those_that_are_told():
    assert Limits().model_dump() == {
        **{"file_mib": 10, "files": 64, "request_mib": 128, "uploads_mib": 512},
        **{"megapixels": 40, "side": 32, "queue": 256, "posts": 60, "reads": 1200},
    }


def test_a_file_that_is_too_large_is_not_read_on():
    problem, read = receive(endless(part("good", b"1"), part("large", b"")[:-2]))
    assert (problem.status, problem.file) == (413, "large") and read == 2 + 11


def test_a_request_that_is_too_large_is_not_read_on():
    problem, read = receive(endless(part("other", b"", field="other")[:-2]))
    assert problem.status == 413 and "128 MiB" in problem.detail and read == 1 + 128


def test_an_upload_that_takes_too_long_is_ended():
    problem, read = receive(endless(part("a", b"")[:-2]), settings=Settings(times=Times(upload=1)), pause=0.3)
    assert problem.status == 408 and "1 seconds" in problem.detail and read < 5


def test_what_is_announced_as_too_large_is_not_read():
    problem, read = receive(endless(), **{"content-length": str(128 * MIB + 1)})
    assert problem.status == 413 and read == 0


def test_uploads_have_room_for_so_much_together_and_give_it_back():
    intake, limits = Intake(), Limits(uploads_mib=3)
    with intake.room(limits) as take:
        take(MIB)
        with intake.room(limits) as others:
            problem, read = receive(
                endless(part("a", b"")[:-2]), settings=Settings(limits=limits), take=others
            )
        assert (problem.status, problem.headers) == (503, {"Retry-After": "10"}) and read == 1 + 2
        assert intake.held == MIB
    assert intake.held == 0


def test_too_many_files_are_not_read_on():
    problem, read = receive(part(f"{number}", b"1") for number in range(10**6))
    assert problem.status == 413 and read == 65


CONTENTS = st.lists(st.binary(max_size=60), min_size=1, max_size=5)


@given(contents=CONTENTS, size=st.integers(1, 70))
def test_files_come_whole_however_they_are_cut(contents, size):
    # The boundary alone may not be in them.
    contents = [content.replace(b"--x", b"") for content in contents]
    body = b"".join(part(f"ü{i}.png", each) for i, each in enumerate(contents)) + b"--x--\r\n"
    found, _ = receive(body[first : first + size] for first in range(0, len(body), size))
    assert found == [(f"ü{i}.png", each) for i, each in enumerate(contents)]


@given(body=st.binary(max_size=300))
def test_any_body_is_a_problem_or_files(body):
    found, _ = receive([b"--x\r\n" + body])
    assert isinstance(found, list) or found.status in (400, 413, 415)


@pytest.mark.parametrize("name", ["../a", "C:\\a.png", "a;b=c", "a' OR 1=1", "", "n" * 3000])
def test_names_are_text(name):
    ((found, content),), _ = receive([part(name, b"1"), b"--x--\r\n"])
    assert content == b"1" and found in (name, "a.png")
