"""The worker in this process: what it does with tasks, and with settings that change."""

import pytest
from serve_place import QuickModel, wait_until

from skinkit.serve.settings import ModelSettings
from skinkit.serve.store import DONE, FAILED, QUEUED, RUNNING, Job
from skinkit.serve.web.images import Upload
from skinkit.serve.worker.worker import Refused


def add(place, name, images=1):
    uploads = [Upload(f"{i}.png", b"%d of it" % i) for i in range(images)]
    place.store.add(Job(name, "quick", "me", images, ends=1e10), uploads)


def set_models(place, **models):
    settings = {name: ModelSettings(run=run) for name, run in models.items()}
    place.settings.current = place.settings.current.model_copy(update={"models": settings})


class Choosy(QuickModel):
    breaks_on = b"40 of it"


def test_small_tasks_go_through_the_network_together(place):
    asked = []

    class Counting(QuickModel):
        def answers(self, images):
            asked.append(len(images))
            return super().answers(images)

    for name, images in (("a", 2), ("b", 3), ("c", 40)):
        add(place, name, images)
    worker = place.worker(load=lambda name, _: Counting(name))
    worker.load_models()
    assert [worker.step() for _ in range(3)] == [True, True, False]
    assert asked == [5, 32, 8]
    assert {place.store.get(name).state for name in "abc"} == {DONE}


def test_of_several_tasks_only_the_one_at_fault_fails(place):
    add(place, "bad")
    place.store.add(Job("good", "quick", "me", 1, ends=1e10), [Upload("a", b"good")])

    class Broken(QuickModel):
        breaks_on = b"0 of it"

    worker = place.worker(load=lambda name, _: Broken(name))
    worker.load_models()
    worker.step()
    assert place.store.get("bad").reason == "ValueError: this image is too much for me"
    assert (place.store.get("bad").state, place.store.get("good").state) == (FAILED, DONE)


def test_a_task_goes_on_after_what_was_answered(place):
    add(place, "a", 40)
    worker = place.worker("first", load=lambda name, _: Choosy(name))
    worker.load_models()
    # Told to stop when the first 32 of its images are answered.
    record = place.store.record
    place.store.record = lambda *words: place.stopped.set() or record(*words)
    worker.run()
    found = place.store.get("a")
    assert (found.state, found.done, found.attempt) == (QUEUED, 32, 0) and place.store.workers(0) == {}
    place.store.record = record
    place.stopped.clear()
    place.start_worker(name="second")
    wait_until(lambda: place.store.get("a").state == DONE)
    assert len(place.store.answers("a")) == 40


def test_an_explanation_that_fails_says_why(place):
    class Blind(QuickModel):
        def overlay(self, content, label):
            raise RuntimeError("nothing to see")

    add(place, "a")
    place.store.add(Job("a/0/mel", "quick", "me", 1, created=1.0, ends=1e10))
    worker = place.worker(load=lambda name, _: Blind(name))
    worker.load_models()
    worker.step()
    worker.step()
    assert place.store.get("a/0/mel").reason == "RuntimeError: nothing to see"


def test_no_path_of_the_server_is_told(place):
    class Unreadable(QuickModel):
        def answers(self, images):
            raise PermissionError(13, "Permission denied", "/srv/secret/model")

    add(place, "a")
    worker = place.worker(load=lambda name, _: Unreadable(name))
    worker.load_models()
    worker.step()
    assert place.store.get("a").reason == "PermissionError: Permission denied"


def test_a_task_that_is_deleted_while_it_is_worked_on_stays_deleted(place):
    class Slow(QuickModel):
        def answers(self, images):
            place.store.remove("a", "deleted", 1e10)
            return super().answers(images)

    add(place, "a")
    worker = place.worker(load=lambda name, _: Slow(name))
    worker.load_models()
    worker.step()
    assert place.store.get("a").state == "deleted" and place.store.answers("a") == []


def load(name, settings):
    if settings.run == "bad":
        raise FileNotFoundError("There is no run folder bad")
    if settings.run == "old":
        raise KeyError("split_hash")
    model = QuickModel(name)
    model.card["run"] = settings.run
    return model


@pytest.mark.parametrize(
    ("run", "said"), [("bad", "wrong: There is no run folder bad"), ("old", "wrong: KeyError: 'split_hash'")]
)
def test_a_model_that_cannot_be_served_ends_a_worker_that_starts(place, run, said):
    set_models(place, good="good", wrong=run)
    with pytest.raises(Refused, match=said):
        place.worker(load=load).run()


def test_a_worker_in_the_place_of_a_dead_one_serves_what_it_can(place, caplog):
    set_models(place, good="good", wrong="bad")
    place.stopped.set()
    worker = place.worker(load=load)
    worker.run(strict=False)
    assert [*worker.models] == ["good"] and "wrong is not served as it is set now" in caplog.text


def test_new_models_are_served_and_bad_ones_refused_without_a_restart(place, caplog):
    worker = place.worker(load=load)
    set_models(place, a="first", b="first")
    worker.load_models(strict=True)
    loaded = worker.models["b"]

    def runs():
        (cards,) = place.store.workers(0).values()
        return {card["id"]: card["run"] for card in cards}

    assert runs() == {"a": "first", "b": "first"}
    set_models(place, a="second", b="first", c="first")
    worker.load_models()
    assert runs() == {"a": "second", "b": "first", "c": "first"} and worker.models["b"] is loaded
    set_models(place, a="bad", c="first", d="bad", e="old")
    worker.load_models()
    worker.load_models()
    # The old one stays, and a bad one is tried once.
    assert runs() == {"a": "second", "c": "first"}
    assert caplog.text.count("e is not served as it is set now: KeyError: 'split_hash'") == 1
    set_models(place, a="third", c="first")
    worker.load_models()
    assert runs() == {"a": "third", "c": "first"}


def test_a_worker_says_that_it_is_alive(place, monkeypatch):
    monkeypatch.setattr("skinkit.serve.worker.worker._BEAT", 0.01)
    place.start_worker()
    place.store.forget_worker()
    wait_until(lambda: place.store.workers(0))
    assert place.store.counts().get(RUNNING) is None
