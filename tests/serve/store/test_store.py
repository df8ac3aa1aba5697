"""Both tables of tasks: one job after the other, whoever works on them, and whatever becomes of these."""

import pytest

from skinkit.serve.store import (
    DELETED,
    DONE,
    EXPIRED,
    FAILED,
    LOST,
    QUEUED,
    RUNNING,
    Answer,
    Job,
    model_cards,
    open_store,
)
from skinkit.serve.web.images import Upload


def add(store, name, images=1, model="quick", created=0.0, **options):
    uploads = [Upload(f"{name}-{i}.jpg", f"{name} {i}".encode()) for i in range(images)]
    assert store.add(Job(name, model, "me", images, created=created, ends=1e10), uploads, **options)
    return name


def claim(store, worker="first", most=32):
    return [job.id for job in store.claim(worker, ["quick"], most)]


def test_a_job_is_kept_as_it_was(store):
    job = Job("a", "quick", "me", 2, created=1.5, ends=1e10)
    store.add(job, [Upload("é\n", b"\x00\xff"), Upload("é\n", b"")])
    assert store.get("a") == job and store.get("b") is None
    (claimed,) = store.claim("first", ["quick"], 32)
    assert store.uploads(claimed) == [("é\n", b"\x00\xff"), ("é\n", b"")]


def test_small_tasks_of_a_model_are_claimed_together_and_once(store):
    for number, (name, images, model) in enumerate(
        [("a", 1, "quick"), ("b", 2, "other"), ("c", 20, "quick"), ("d", 20, "quick"), ("e", 2, "quick")]
    ):
        add(store, name, images, model, created=number)
    assert claim(store) == ["a", "c", "e"]
    assert claim(store, "second") == ["d"]
    assert claim(store) == []
    assert store.get("a").state == RUNNING and store.get("a").attempt == 1 and store.get("b").state == QUEUED


def test_a_large_task_is_claimed_alone(store):
    add(store, "a", images=64)
    add(store, "b", created=1)
    assert claim(store) == ["a"]


def test_answers_come_in_the_order_of_the_images(store):
    add(store, "a", images=12)
    claim(store)
    store.record("first", [Answer("a", place, b"%d" % place) for place in range(5)])
    assert (store.get("a").done, store.get("a").state, store.ended(["a", "no"])) == (5, RUNNING, {"no"})
    store.record("first", [Answer("a", place, b"%d" % place) for place in range(5, 12)])
    assert store.get("a").state == DONE and store.ended(["a"]) == {"a"}
    assert store.answers("a") == [b"%d" % place for place in range(12)]


def test_nobody_else_records_or_fails(store):
    add(store, "a")
    claim(store)
    store.record("second", [Answer("a", 0, b"wrong")])
    store.fail("second", "a", "wrong")
    assert store.get("a").state == RUNNING and store.answers("a") == []
    store.fail("first", "a", "broken")
    assert (store.get("a").state, store.get("a").reason) == (FAILED, "broken")
    store.record("first", [Answer("a", 0, b"late")])
    assert store.get("a").state == FAILED


def test_a_lost_worker_costs_one_attempt_and_two_end_the_task(store):
    add(store, "a", images=2)
    add(store, "b", created=1)
    store.beat("first", 100.0, [])
    assert claim(store) == ["a", "b"]
    store.record("first", [Answer("a", 0, b"kept")])
    store.put_back(99.0)
    assert store.get("a").state == RUNNING
    store.put_back(101.0)
    assert (store.get("a").state, store.get("a").done, store.get("a").attempt) == (QUEUED, 1, 1)
    # Each may be what killed the worker: they are no longer worked on together.
    assert claim(store, "second") == ["a"]
    store.put_back(101.0)
    assert (store.get("a").state, store.get("a").reason) == (FAILED, LOST)
    assert claim(store, "third") == ["b"]


def test_a_worker_that_is_forgotten_is_lost_at_once(store):
    add(store, "a")
    store.beat("first", 100.0, [])
    claim(store)
    store.forget_worker("first")
    store.put_back(0.0)
    assert store.get("a").state == QUEUED


def test_what_is_given_back_has_not_begun(store):
    add(store, "a")
    claim(store)
    store.give_back("first")
    assert (store.get("a").state, store.get("a").attempt) == (QUEUED, 0)
    assert claim(store, "second") == ["a"]
    store.give_back("first")
    assert store.get("a").state == RUNNING


def test_a_full_queue_takes_nothing(store):
    add(store, "a", most=1)
    assert not store.add(Job("b", "quick", "me", 1), [Upload("b", b"b")], most=1)
    assert store.get("b") is None
    claim(store)
    add(store, "b", most=1)


def test_removing_forgets_all_but_that_it_was(store):
    add(store, "a", images=2)
    claim(store)
    store.record("first", [Answer("a", place, b"x") for place in range(2)])
    store.add(Job("a/1/mel", "quick", "me", 1, ends=1e10))
    (explained,) = store.claim("first", ["quick"], 32)
    assert explained.explains == (1, "mel") and store.uploads(explained) == [("a-1.jpg", b"a 1")]
    store.record("first", [Answer("a/1/mel", 1, b"png")])
    assert store.get("a/1/mel").state == DONE
    store.remove("a", DELETED, 1e10)
    assert store.get("a").state == DELETED and store.answers("a") == [] and store.get("a/1/mel") is None
    assert store.answers("a/1/mel") == [] and store.uploads(explained) == []


def test_a_removed_task_is_neither_claimed_nor_answered(store):
    add(store, "a")
    store.remove("a", DELETED, 1e10)
    assert claim(store) == []
    add(store, "b")
    claim(store)
    store.remove("b", DELETED, 1e10)
    store.record("first", [Answer("b", 0, b"late")])
    assert store.get("b").state == DELETED and store.answers("b") == []


def test_expired_tasks_leave_a_tombstone_for_a_while(store):
    store.add(Job("a", "quick", "me", 1, ends=2e9), [Upload("a", b"a")])
    store.expire(2e9 - 1, 10)
    assert store.get("a").state == QUEUED
    store.expire(2e9, 10)
    assert store.get("a").state == EXPIRED and claim(store) == []
    store.expire(2e9 + 9, 10)
    assert store.get("a").state == EXPIRED
    store.expire(2e9 + 10, 10)
    assert store.get("a") is None


def test_every_end_of_a_task_is_reported_once(store):
    add(store, "done")
    claim(store)
    store.record("first", [Answer("done", 0, b"x")])
    store.add(Job("done/0/mel", "quick", "me", 1, ends=1e10))
    claim(store)
    store.fail("first", "done/0/mel", "an explanation is not a task")
    add(store, "failed")
    claim(store)
    store.fail("first", "failed", "broken")
    add(store, "lost")
    for _ in range(2):
        claim(store)
        store.put_back(1.0)
    for name, state in (("deleted", DELETED), ("expired", EXPIRED)):
        add(store, name)
        store.remove(name, state, 1e10)
    add(store, "waits")
    found = store.newly_ended()
    assert {job.id: job.state for job in found} == {
        **{"done": DONE, "failed": FAILED, "lost": FAILED, "deleted": DELETED, "expired": EXPIRED}
    }
    assert {job.owner for job in found} == {"me"}
    store.remove("done", DELETED, 1e10)
    assert store.newly_ended() == []


def test_several_workers_share_what_waits(store):
    for number in range(5):
        add(store, f"{number}", created=number)
    taken = [[job.id for job in store.claim("first", ["quick"], 32, share=2)] for _ in range(3)]
    assert taken == [["0", "1", "2"], ["3"], ["4"]]


def test_an_explanation_is_added_once(store):
    job = Job("a/0/mel", "quick", "me", 1, ends=1e10)
    assert store.add(job) and store.add(job)
    assert len(store.claim("first", ["quick"], 32)) == 1
    assert store.add(job) and store.get("a/0/mel").state == RUNNING


def test_workers_and_their_models(store):
    store.beat("first", 100.0, [{"id": "a"}])
    store.beat("second", 200.0, [{"id": "b"}])
    assert store.workers(150.0) == {"second": [{"id": "b"}]}
    store.beat("first", 210.0, [{"id": "a"}])
    assert {*model_cards(store.workers(150.0))} == {"a", "b"}
    store.forget_worker()
    assert store.workers(0.0) == {}


def test_tasks_are_counted(store):
    add(store, "a", images=40)
    add(store, "b")
    claim(store)
    counts = store.counts()
    assert counts[QUEUED] == 1 and counts[RUNNING] == 1


def test_what_was_deleted_is_not_in_the_file_any_more(tmp_path):
    store = open_store(None, tmp_path)
    secret = b"of a patient" * 100
    store.add(Job("a", "quick", "me", 1, ends=1e10), [Upload("a", secret)])
    read = lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: E731
    assert secret[:50] in read()
    store.remove("a", DELETED, 1e10)
    assert secret[:12] not in read()
    store.close()


def test_nobody_else_on_the_machine_reads_images(tmp_path):
    folder = tmp_path / "results" / "serve"
    folder.parent.mkdir()
    store = open_store(None, folder)
    add(store, "a")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"serve": 0o700} | {f"tasks.sqlite{end}": 0o600 for end in ("", "-wal", "-shm")}
    store.close()
    (folder / "tasks.sqlite").chmod(0o644)
    open_store(None, folder).close()
    assert (folder / "tasks.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_stores_nothing(tmp_path):
    store = open_store(None, tmp_path)
    store._base.execute("PRAGMA max_page_count = 40")
    with pytest.raises(OSError, match="disk is full") as error:
        store.add(Job("a", "quick", "me", 1), [Upload("a", bytes(10**6))])
    assert error.value.errno == 28 and store.get("a") is None
    add(store, "b")
    store.close()


def test_another_address_is_refused(tmp_path):
    with pytest.raises(ValueError, match="redis://HOST:PORT/0. It begins with 'amqp'$"):
        open_store("amqp://me:password@somewhere", tmp_path)
