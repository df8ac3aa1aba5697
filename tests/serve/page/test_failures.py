"""What the page does when a request fails: it says why, and one can always go on."""

import os

import pytest
from page_stand_in import Reply, problem

SILENT = Reply(None)
FOR_LONG = (SILENT,) * 20
OTHERS_PAGE = Reply(502, "<h1>Bad gateway</h1>", {"Content-Type": "text/html"})
NO_MODEL = problem(400, "Models are demo, other. Received: 'demo'.")
EXPIRED = problem(410, "The task is expired; its images and results are deleted.")
FAILED = problem(500, "The task has failed. The worker ran out of memory.")


@pytest.mark.parametrize(
    ("request_", "replies", "text"),
    [
        ("POST predict_bulk", [NO_MODEL], "Models are demo, other."),
        ("POST predict_bulk", [problem(500, "The server failed. Its log says why.")], "The server failed."),
        (
            "POST predict_bulk",
            [problem(507, "The server's disk is full: nothing was stored.")],
            "disk is full",
        ),
        ("POST predict_bulk", [problem(429, "At most 60 such requests a minute.", 600)], "At most 60"),
        ("POST predict_bulk", [OTHERS_PAGE], "The service answered with the error 502."),
        ("POST predict_bulk", [SILENT], "The service does not answer."),
        ("POST predict_bulk", [Reply(202, "<html>")], "broke off, or was none of its own"),
        ("GET from_task", [FAILED], "The worker ran out of memory."),
        ("GET from_task", [EXPIRED], "The task is expired"),
        ("GET from_task", [problem(404, "There is no such task.")], "There is no such task."),
        ("GET from_task", [Reply(200, [])], "The service answered 0 images of 2."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failed_prediction_says_why_and_is_tried_again(user, page, service, request_, replies, text):
    service.will(request_, *replies)
    user.load("mel.png", "a.png")
    user.predict()
    user.wait_for("error")
    assert text in page.get_by_role("alert").inner_text()
    user.press("Try again")
    user.wait_for("result")
    assert user.focused == "Predict again" and len(user.marks) == 2
    # A task that has failed or is gone is not asked for again.
    assert service.count("POST predict_bulk") == 2
    assert not page.get_by_role("alert").is_visible()


def test_an_error_can_be_closed_and_one_goes_on(user, page, service):
    service.will("POST predict_bulk", FAILED)
    user.load("mel.png", "a.png")
    user.predict()
    user.press("Close this message")
    user.wait_for("loaded")
    assert user.focused == "Predict 2 images"
    user.press("Remove a.png")
    user.predict()
    user.wait_for("result")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(user, page, service, status):
    service.will("POST predict", problem(status, "256 tasks wait already.", 1))
    user.load("a.png")
    user.predict()
    user.sees("256 tasks wait already. Trying again in 1 s")
    user.wait_for("result")
    assert service.count("POST predict") == 2


def test_a_task_is_asked_for_later_and_later(user, page, service):
    service.pending = 3
    user.load("a.png", "b.png")
    user.predict()
    user.wait_for("running")
    user.sees("Predicting: 0 of 2 images done.")
    user.wait_for("result")
    assert service.count("GET from_task") == 4


def test_the_service_says_how_long_to_wait(user, page, service):
    waiting = Reply(202, {"state": "queued", "done": 0, "num_images": 2}, {"Retry-After": "4"})
    service.will("GET from_task", waiting)
    user.load("a.png", "b.png")
    user.predict()
    user.sees("Waiting for a free worker")
    page.wait_for_timeout(700)
    assert service.count("GET from_task") == 1
    user.wait_for("result")


def test_an_answer_that_is_lost_on_its_way_is_asked_for_again_and_nothing_is_sent_twice(user, page, service):
    service.will("GET from_task", SILENT, OTHERS_PAGE)
    user.load("mel.png", "a.png")
    user.predict()
    user.sees("The service does not answer.")
    user.wait_for("result")
    assert service.count("POST predict_bulk") == 1


def test_a_service_that_comes_back_late_still_has_the_task(user, page, service):
    page.clock.install()
    service.will("GET from_task", *FOR_LONG)
    user.load("mel.png", "a.png")
    user.predict()
    for _ in range(20):
        page.clock.run_for(8000)
        if page.get_by_role("alert").is_visible():
            break
        page.wait_for_timeout(20)
    service.recover()
    user.press("Try again")
    page.clock.resume()
    user.wait_for("result")
    assert service.count("POST predict_bulk") == 1


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_refused_image_is_marked_and_the_others_are_predicted(user, page, service, status):
    service.will("POST predict_bulk", problem(status, "The PNG file is broken: truncated.", file="image-2"))
    user.load("a.png", "bad.png", "mel.png")
    user.predict()
    user.wait_for("result")
    assert user.marks == {
        "a.png": "● melanoma not flagged",
        "bad.png": "✕ refused",
        "mel.png": "▲ melanoma flagged",
    }
    user.sees("The PNG file is broken: truncated.")
    user.sees("2 images predicted, 1 image refused.")
    # It may be tried again: the settings of a service change.
    user.press("Predict 1 image")
    user.sees("3 images predicted.")


def test_too_large_a_request_is_sent_in_parts(user, service):
    service.will(
        "POST predict_bulk", problem(413, "A request has at most 1 MiB. Send the images in several.")
    )
    user.result("a.png", "b.png", "c.png", "d.png")
    user.sees("4 images predicted.")
    assert [len(names) for names in service.sent] == [4, 2, 2]


def test_more_images_than_a_request_takes_are_sent_in_parts(user, service):
    user.load(*[f"{i}.png" for i in range(65)])
    user.predict()
    user.sees("65 images predicted.")
    assert [len(names) for names in service.sent] == [64, 1]


def test_a_file_that_changes_on_the_disk_is_named(user, page, draw, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(draw("a.png"))
    page.set_input_files("#files", path)
    user.sees("1 image loaded.")
    path.write_bytes(draw("b.png") + b"more")
    # A browser tells by the second of the last change.
    os.utime(path, (0, 0))
    user.predict()
    user.sees("The file has changed or moved since it was loaded. Load it again.")


def test_cancelling_keeps_what_was_answered_and_deletes_the_task(user, page, service):
    user.result("mel.png")
    service.pending = 1000
    user.load("a.png")
    user.predict()
    user.sees("Predicting: 0 of 1 image done.")
    user.press("Cancel")
    user.wait_for("result")
    assert user.marks == {"a.png": "", "mel.png": "▲ melanoma flagged"} and user.focused == "Predict 1 image"
    assert service.has_deleted(kept=1)
    service.pending = 0
    user.predict()
    user.sees("2 images predicted.")


def test_images_that_are_loaded_meanwhile_wait_for_the_next_time(user, service):
    service.pending = 4
    user.load("mel.png", "a.png")
    user.predict()
    user.load("b.png")
    user.press("Remove a.png")
    user.wait_for("result")
    assert user.marks == {"b.png": "", "mel.png": "▲ melanoma flagged"}
    user.press("Predict 1 image")
    user.sees("2 images predicted.")


def test_a_reset_in_the_middle_ends_all(user, page, service):
    service.pending = 1000
    user.load("mel.png", "a.png")
    user.predict()
    user.sees("Predicting: 0 of 2 images done.")
    user.press("Reset")
    user.wait_for("empty")
    service.pending = 0
    user.result("b.png")
    assert user.names == ["b.png"]


def test_a_deletion_that_fails_stops_nobody(user, service):
    service.will("DELETE from_task", problem(500, "The server failed."))
    user.result("a.png", "b.png")
    user.press("Reset")
    user.result("c.png", "d.png")
    assert user.names == ["c.png", "d.png"]


@pytest.mark.parametrize(
    ("reply", "text"),
    [(problem(500, "The server failed."), "The server failed."), (Reply(200, "<html>"), "none of its own")],
)
def test_without_a_list_of_models_one_can_ask_again(user, page, service, reply, text):
    service.will("GET public_models", reply, reply)
    page.reload()
    user.wait_for("error")
    user.press("Close this message")
    user.load("a.png")
    # Predicting needs a model, and asks for the list itself.
    user.predict()
    user.wait_for("error")
    assert text in page.get_by_role("alert").inner_text()
    user.press("Try again")
    user.sees("macro recall")
    user.predict()
    user.wait_for("result")


def test_a_service_that_still_loads_its_models_is_waited_for(user, page, service):
    service.will("GET public_models", problem(503, "No worker is ready. They load the models.", 1))
    page.reload()
    user.sees("No worker is ready. They load the models. Asking again.")
    user.sees("macro recall")
    assert page.locator("body").get_attribute("data-state") == "empty"


def test_a_model_that_is_gone_leaves_the_list(user, page, service):
    user.load("a.png")
    service.models = ["other"]
    service.will("POST predict", problem(400, "Models are other. Received: 'demo'."))
    user.predict()
    user.sees("Models are other. Received: 'demo'.")
    page.locator("#model option", has_text="demo").wait_for(state="detached")
    user.press("Try again")
    user.wait_for("result")


def test_a_task_whose_number_comes_after_the_cancel_is_deleted(user, page, service):
    service.slow = 0.5
    user.load("a.png")
    user.predict()
    user.press("Cancel")
    user.wait_for("loaded")
    assert service.has_deleted() and service.count("POST predict") == 1
