"""The routes, asked as a client asks them: shapes, states, and every bad input."""

import errno
import json
import time
import uuid

import pytest
from fastapi.testclient import TestClient
from redis.exceptions import RedisError
from serve_place import LABELS, QuickModel, image_bytes, wait_until

from skinkit.serve.audit import report_ended
from skinkit.serve.settings import Limits, Times
from skinkit.serve.store import RUNNING

JPEG, PNG = image_bytes(), image_bytes("PNG", seed=1)


def post(client, *files, route="predict_bulk", model="quick", **options):
    """Posts pairs of name and bytes."""
    field = "file" if route == "predict" else "files"
    sent = [(field, (name, content, "text/html")) for name, content in files]
    return client.post(f"/{route}", params={"model_id": model} if model else {}, files=sent, **options)


def problem(answer, status, said=""):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status and said in found["detail"], found
    return found


def set_limits(place, **limits):
    place.settings.current = place.settings.current.model_copy(update={"limits": Limits(**limits)})


def set_times(place, **times):
    place.settings.current = place.settings.current.model_copy(update={"times": Times(**times)})


@pytest.fixture
def idle(place):
    """A client of a server whose only worker does nothing."""
    place.worker().load_models()
    return place.client()


def finished(client, task):
    return wait_until(lambda: (a := client.get(f"/from_task/{task}")).status_code != 202 and a)


def test_models_are_sorted(client):
    assert client.get("/public_models").json() == {"models": ["other", "quick"]}


def test_one_image_is_classified_while_the_client_waits(client):
    answer = post(client, ("a.png", JPEG), route="predict")
    assert answer.status_code == 200
    (task,) = answer.json().values()
    assert (
        answer.json() == {"task_uuid": str(uuid.UUID(task))}
        and answer.headers["location"] == f"/from_task/{task}"
    )
    (found,) = client.get(f"/from_task/{task}").json()
    assert [*found] == ["name", "probabilities", "metadata", "prediction"]
    assert found["name"] == "a.png" and found["probabilities"] == {"mel": 0.25, "nv": 0.75}
    assert found["prediction"].items() >= {"target": True, "label": 1, "prediction": "nv"}.items()


def test_many_images_are_answered_in_their_order_equal_names_too(client):
    names = ["b.jpg", "a.jpg", "b.jpg", "/etc/passwd", "..\\c", "ü\u202e.png"]
    answer = post(client, *((name, image_bytes("PNG", seed=i)) for i, name in enumerate(names)))
    assert answer.status_code == 202 and answer.json()["num_images"] == 6
    found = finished(client, answer.json()["task_uuid"]).json()
    assert [each["name"] for each in found][:4] == names[:4]
    assert len({each["prediction"]["bytes"] for each in found}) > 1


def test_a_task_that_waits_says_how_far_it_is(idle, place):
    set_times(place, answer=1)
    answer = post(idle, ("a", JPEG), route="predict")
    assert answer.status_code == 202 and answer.headers["location"].endswith(answer.json()["task_uuid"])
    state = idle.get(answer.headers["location"])
    assert state.status_code == 202 and state.headers["retry-after"] == "1"
    assert state.json() == {"state": "queued", "done": 0, "num_images": 1}


def test_without_a_model_the_default_answers(client, place):
    for default, expected in ((None, "quick"), ("other", "other")):
        place.settings.current = place.settings.current.model_copy(update={"default": default})
        answer = post(client, ("a", JPEG), route="predict", model=None)
        assert place.store.get(answer.json()["task_uuid"]).model == expected


def test_an_unknown_model(client):
    assert "Did you mean quick?" in problem(post(client, ("a", JPEG), model="quik"), 400)["detail"]
    problem(client.get("/models/quik"), 404, "Did you mean quick?")
    card = client.get("/models/quick").json()
    assert card["labels"] == LABELS and card["kept_seconds"] == 3600


def test_before_a_worker_is_ready_nothing_is_taken(place):
    client = place.client()
    assert problem(post(client, ("a", JPEG)), 503) and client.get("/public_models").json() == {"models": []}
    assert client.get("/healthz").json()["state"] == "alive"
    assert "retry-after" in client.get("/readyz").headers and problem(client.get("/readyz"), 503)
    place.start_worker()
    assert client.get("/readyz").json() == {"state": "ready"}


def test_unknown_and_wrong_ids(client):
    for path in (f"/from_task/{uuid.uuid4()}", f"/from_task/{uuid.uuid4()}/0/explanation"):
        problem(client.get(path), 404)
    problem(client.delete(f"/from_task/{uuid.uuid4()}"), 404)
    for path in ("/from_task/1", "/from_task/1/0/explanation", f"/from_task/{uuid.uuid4()}/-1/explanation"):
        problem(client.get(path), 422)
    problem(client.get("/nowhere"), 404)
    assert "allow" in client.put("/predict").headers and problem(client.put("/predict"), 405)


def test_a_deleted_task_is_gone(client, place):
    task = post(client, ("a", JPEG), route="predict").json()["task_uuid"]
    assert client.delete(f"/from_task/{task}").status_code == 204
    for answer in (client.get(f"/from_task/{task}"), client.delete(f"/from_task/{task}")):
        problem(answer, 410, "deleted")
    problem(client.get(f"/from_task/{task}/0/explanation"), 410)
    assert place.store.answers(task) == []


def test_a_waiting_task_is_cancelled(idle, place):
    task = post(idle, ("a", JPEG)).json()["task_uuid"]
    idle.delete(f"/from_task/{task}")
    assert place.store.claim("other worker", ["quick"], 32) == []


def test_an_expired_task_is_gone_and_then_unknown(client, place):
    set_times(place, task=60, tombstone=100)
    task = post(client, ("a", JPEG), route="predict").json()["task_uuid"]
    place.store.expire(time.time() + 61, 100)
    problem(client.get(f"/from_task/{task}"), 410, "expired")
    place.store.expire(time.time() + 200, 100)
    problem(client.get(f"/from_task/{task}"), 404)


def test_a_failed_task_says_why(place):
    class Broken(QuickModel):
        breaks_on = b"\x89PNG"

    place.start_worker(load=lambda name, _: Broken(name))
    client = place.client()
    # Taken in together with one that is good.
    set_times(place, answer=5)
    task, good = (post(client, ("a", each)).json()["task_uuid"] for each in (PNG, JPEG))
    problem(finished(client, task), 500, "ValueError: this image is too much for me")
    assert finished(client, good).status_code == 200


def test_an_explanation(client):
    task = post(client, ("a", JPEG), ("b", JPEG)).json()["task_uuid"]
    finished(client, task)
    explained = client.get(f"/from_task/{task}/1/explanation")
    assert explained.headers["content-type"] == "image/png" and explained.content.endswith(b"of nv")
    assert client.get(f"/from_task/{task}/1/explanation?label=mel").content.endswith(b"of mel")
    assert client.get(f"/from_task/{task}/1/explanation?label=mel").status_code == 200
    problem(client.get(f"/from_task/{task}/1/explanation?label=mle"), 422, "Did you mean mel?")
    problem(client.get(f"/from_task/{task}/2/explanation"), 404, "images 0 to 1")


def test_an_explanation_before_the_result_and_one_that_takes_long(idle, place):
    set_times(place, answer=1)
    task = post(idle, ("a", JPEG)).json()["task_uuid"]
    problem(idle.get(f"/from_task/{task}/0/explanation"), 409)
    worker = place.worker()
    worker.load_models()
    worker.step()
    answer = idle.get(f"/from_task/{task}/0/explanation")
    assert answer.status_code == 202 and "retry-after" in answer.headers
    worker.step()
    assert idle.get(f"/from_task/{task}/0/explanation").status_code == 200


BROKEN = JPEG[: len(JPEG) // 2]


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ([], 415, "no file"),
        ([("empty.jpg", b"")], 415, "empty"),
        ([("broken.jpg", BROKEN)], 415, "broken"),
        ([("a.jpg", b"<html>")], 415, "JPEG, PNG or WebP"),
        ([("a.dcm", bytes(128) + b"DICM")], 415, "viewer"),
        ([("a.jpg", bytes(10 * 2**20 + 1))], 413, "10 MiB"),
        ([("small.png", image_bytes("PNG", size=(16, 40)))], 422, "32 pixels"),
        ([(f"{i}.png", PNG) for i in range(65)], 413, "64 files"),
    ],
)
def test_bad_files_are_named_and_nothing_is_stored(client, place, files, status, said):
    files = [("good.jpg", JPEG), *files] if len(files) == 1 else files
    sent = post(client, *files) if files else client.post("/predict_bulk", files={"another": JPEG})
    found = problem(sent, status, said)
    assert len(files) != 2 or found["file"] == files[1][0]
    assert place.store.counts() == {}


def test_one_image_means_one(client):
    problem(post(client, ("a", JPEG), ("b", JPEG), route="predict"), 413, "1 file")


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 415),
        ({}, JPEG, 415),
        ({"content-type": "multipart/form-data"}, JPEG, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, b"nothing of it", 400),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\n", 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 18 * b"--x\r\n\r\n\r\n" + b"--x--", 413),
    ],
)
def test_requests_that_are_no_form(client, place, headers, content, status):
    problem(client.post("/predict", headers=headers, content=content), status)
    assert place.store.counts() == {}


def test_a_request_that_is_too_large_is_not_read_to_its_end(client, place):
    set_limits(place, request_mib=1)
    read = []

    def stream():
        yield b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\n'
        for _ in range(100):
            read.append(1)
            yield bytes(2**16)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    problem(client.post("/predict", headers=headers, content=stream()), 413, "1 MiB")
    announced = {**headers, "content-length": str(2**21)}
    problem(client.post("/predict", headers=announced, content=b"x"), 413, "1 MiB")


def test_a_full_queue_is_told(idle, place):
    set_limits(place, queue=2)
    assert [post(idle, ("a", JPEG)).status_code for _ in range(2)] == [202, 202]
    answer = post(idle, ("a", JPEG))
    assert problem(answer, 503, "2 tasks wait") and int(answer.headers["retry-after"]) > 0


def test_a_full_disk_is_told(client, place, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place.store, "add", full)
    problem(post(client, ("a", JPEG)), 507, "disk is full")


def test_the_log_has_a_line_a_task_and_no_names(client, place, caplog):
    task = post(client, ("Erika Mustermann.jpg", JPEG), route="predict").json()["task_uuid"]
    post(client, ("Erika Mustermann.jpg", BROKEN))
    client.get(f"/from_task/{task}/0/explanation")
    with caplog.at_level("INFO"):
        report_ended(place.store)
        client.delete(f"/from_task/{task}")
        report_ended(place.store)
    (line,) = (json.loads(each.message) for each in caplog.records if each.name == "skinkit.serve.audit")
    assert "Mustermann" not in caplog.text
    assert line.pop("time") and line == {"token": "", "model": "quick", "images": 1, "state": "done"}


def test_numbers_for_prometheus(client):
    post(client, ("a", JPEG), route="predict")
    text = client.get("/metrics").text
    assert 'skinkit_requests_total{method="POST",route="/predict",status="200"} 1.0' in text
    assert 'skinkit_images_total{model="quick"} 1.0' in text and 'skinkit_tasks{state="done"} 1.0' in text
    assert "skinkit_workers 1.0" in text and "skinkit_models 2.0" in text


def test_the_start_and_the_page_of_the_api(place):
    client = place.client(has_page=False)
    assert client.get("/").status_code == 302 and client.get("/").headers["location"] == "docs"
    page = client.get("/docs").text
    assert "/from_task/{task_uuid}/{index}/explanation" in page and "<script" not in page
    assert client.get("/openapi.json").json()["paths"].keys() >= {"/predict", "/predict_bulk", "/metrics"}


def test_progress_of_a_large_task(idle, place):
    task = post(idle, *((f"{i}", PNG) for i in range(40))).json()["task_uuid"]
    (job,) = place.store.claim("slow", ["quick"], 32)
    assert job.id == task and place.store.get(task).state == RUNNING
    assert idle.get(f"/from_task/{task}").json() == {"state": "running", "done": 0, "num_images": 40}


def test_below_the_path_of_another_server(client):
    below = TestClient(client.app, root_path="/kit", follow_redirects=False)
    answer = below.post("/kit/predict", files={"file": JPEG})
    assert answer.headers["location"] == f"/kit/from_task/{answer.json()['task_uuid']}"
    assert below.get(answer.headers["location"]).status_code == 200
    # A browser that is at /kit/ comes to /kit/docs or /kit/app/.
    assert not below.get("/kit/").headers["location"].startswith("/")


def test_a_table_that_cannot_be_reached_is_told(client, place, monkeypatch):
    def gone(*_):
        raise RedisError("no connection")

    # They ask the same table.
    place.stop_workers()
    monkeypatch.setattr(place.store, "workers", gone)
    problem(client.get("/public_models"), 503, "table of tasks")
