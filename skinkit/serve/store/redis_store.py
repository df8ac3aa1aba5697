"""The table of tasks in a Redis, for workers on other machines: tasks, images and results, without files.

Jobs that wait or are worked on are in one hash, `live`. Every change of it is tried again when somebody else
has changed it meanwhile. A job that has ended has a key of its own; images and answers end with their task.
"""

import collections
import dataclasses
import errno
import json

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from skinkit.serve.store.jobs import (
    DONE,
    EXPIRED,
    FAILED,
    GONE,
    LOST,
    MOST_ATTEMPTS,
    QUEUED,
    RUNNING,
    Job,
    together,
)
from skinkit.serve.store.store import read_cards, to_json

# Seconds for which keys outlive their task, should nobody be there to remove them.
_GRACE = 3600
# Seconds between two attempts to reach it.
_PAUSE = 1
# Tasks that are asked about at a time.
_MANY = 1000
_ADDRESS = (
    "--queue cannot be read: expected redis://:PASSWORD@HOST:PORT/0, "
    "where the signs / # ? @ of a password are %2F %23 %3F %40"
)


class RedisStore:
    """The table in a Redis, which it has for itself.

    Args:
        url: String, `redis://HOST:PORT/NUMBER`.
        is_patient: Boolean, whether a Redis that goes away is waited for, however long it takes.

    Raises:
        ValueError: where no Redis answers at first; the message never shows a password.
    """

    def __init__(self, url, is_patient=False):
        try:
            self._redis = redis.Redis.from_url(url)
            self._redis.ping()
        except (TypeError, ValueError):
            # The error may show a password.
            raise ValueError(_ADDRESS) from None
        except redis.exceptions.RedisError as error:
            raise ValueError(f"No Redis answers at the address of --queue: {error}") from error
        if is_patient:
            self._redis.set_retry(Retry(ConstantBackoff(_PAUSE), -1))

    def close(self):
        self._redis.close()

    def _change(self, decide):
        """Returns what a function of the live jobs and of a pipeline, which it fills, returns."""

        def attempt(pipe):
            live = {said["id"]: said for said in map(json.loads, pipe.hvals("live"))}
            pipe.multi()
            return decide(live, pipe)

        try:
            return self._redis.transaction(attempt, "live", value_from_callable=True)
        # Their texts hold the beginning of what was to be written, and so the name of a file.
        except redis.exceptions.OutOfMemoryError:
            raise OSError(errno.ENOSPC, "the memory of Redis is full") from None
        except redis.exceptions.ResponseError as error:
            raise redis.exceptions.RedisError(f"Redis takes no change: {type(error).__name__}") from None

    def add(self, job, uploads=(), most=None):
        def decide(live, pipe):
            if job.id in live or self._redis.exists(f"job:{job.id}"):
                return True
            if most is not None and sum(said["state"] == QUEUED for said in live.values()) >= most:
                return False
            _put(pipe, {**dataclasses.asdict(job), "worker": ""})
            lists = {f"names:{job.id}": [each.name for each in uploads]}
            lists |= {f"images:{job.id}": [each.content for each in uploads]}
            lists |= {f"explained:{job.task}": [job.id] if job.explains else []}
            for key, values in lists.items():
                if values:
                    pipe.rpush(key, *values)
                    pipe.expireat(key, int(job.ends) + _GRACE)
            if not job.explains:
                pipe.zadd("ends", {job.id: job.ends})
            return True

        return self._change(decide)

    def get(self, job):
        said = self._redis.hget("live", job) or self._redis.get(f"job:{job}")
        return None if said is None else _job(json.loads(said))

    def ended(self, jobs):
        found = self._redis.hmget("live", jobs) if jobs else []
        return {job for job, said in zip(jobs, found, strict=True) if said is None}

    def answers(self, job):
        found = self._redis.hgetall(f"answers:{job}")
        return [found[place] for place in sorted(found, key=int)]

    def remove(self, task, state, ends):
        jobs = [task, *(each.decode() for each in self._redis.lrange(f"explained:{task}", 0, -1))]

        def decide(live, pipe):
            said = live.get(task) or json.loads(self._redis.get(f"job:{task}") or "null")
            pipe.hdel("live", *jobs)
            pipe.delete(*(f"{kind}:{task}" for kind in ("names", "images", "explained")))
            pipe.delete(*(f"{kind}:{job}" for kind in ("job", "answers") for job in jobs))
            if said:
                _end(pipe, {**said, "ends": ends}, state)
                pipe.zadd("ends", {task: ends})

        self._change(decide)

    def expire(self, now, tombstone):
        for task in map(bytes.decode, self._redis.zrangebyscore("ends", "-inf", now)):
            job = self.get(task)
            if job is None or job.state in GONE:
                self._redis.zrem("ends", task)
                self._redis.delete(f"job:{task}")
            else:
                self.remove(task, EXPIRED, now + tombstone)

    def newly_ended(self):
        found = [self.get(job.decode()) for job in self._redis.lpop("newly_ended", _MANY) or ()]
        return [job for job in found if job]

    def counts(self):
        jobs = map(json.loads, self._redis.hvals("live"))
        return dict(collections.Counter(said["state"] for said in jobs if "/" not in said["id"]))

    def workers(self, since):
        alive = self._redis.zrangebyscore("workers", since, "+inf")
        cards = self._redis.hmget("cards", alive) if alive else []
        return {worker.decode(): read_cards(said) for worker, said in zip(alive, cards, strict=True) if said}

    def forget_worker(self, worker=None):
        for each in [worker] if worker else self._redis.zrange("workers", 0, -1):
            self._redis.zrem("workers", each)
            self._redis.hdel("cards", each)

    def put_back(self, since):
        for worker in self._redis.zrangebyscore("workers", "-inf", f"({since}"):
            self.forget_worker(worker)
        alive = {worker.decode() for worker in self._redis.zrange("workers", 0, -1)}

        def decide(live, pipe):
            for said in live.values():
                if said["state"] == RUNNING and said["worker"] not in alive:
                    if said["attempt"] >= MOST_ATTEMPTS:
                        _end(pipe, said, FAILED, LOST)
                    else:
                        _put(pipe, {**said, "state": QUEUED})

        self._change(decide)

    def beat(self, worker, now, cards):
        self._redis.hset("cards", worker, to_json(cards))
        self._redis.zadd("workers", {worker: now})

    def claim(self, worker, models, most, share=1):
        if not self._redis.hlen("live"):
            return []

        def decide(live, pipe):
            waiting = [_job(s) for s in live.values() if s["state"] == QUEUED and s["model"] in models]
            chosen = together(sorted(waiting, key=lambda job: (job.created, job.id)), most, share)
            for job in chosen:
                begun = {"state": RUNNING, "worker": worker, "attempt": job.attempt + 1}
                _put(pipe, {**live[job.id], **begun})
            return chosen

        return self._change(decide)

    def uploads(self, job):
        place = job.explains[0] if job.explains else 0
        names, contents = (
            self._redis.lrange(f"{kind}:{job.task}", place, place if job.explains else -1)
            for kind in ("names", "images")
        )
        return [(name.decode(), content) for name, content in zip(names, contents, strict=False)]

    def record(self, worker, answers):
        def decide(live, pipe):
            mine = _of(worker, live)
            answers_of_mine = [answer for answer in answers if answer.job in mine]
            for answer in answers_of_mine:
                said = mine[answer.job]
                said["done"] += 1
                pipe.hset(f"answers:{answer.job}", answer.place, answer.content)
                pipe.expireat(f"answers:{answer.job}", int(said["ends"]) + _GRACE)
            for job in {answer.job for answer in answers_of_mine}:
                if mine[job]["done"] == mine[job]["images"]:
                    _end(pipe, mine[job], DONE)
                else:
                    _put(pipe, mine[job])

        self._change(decide)

    def fail(self, worker, job, reason):
        def decide(live, pipe):
            if said := _of(worker, live).get(job):
                _end(pipe, said, FAILED, reason)

        self._change(decide)

    def give_back(self, worker):
        def decide(live, pipe):
            for said in _of(worker, live).values():
                _put(pipe, {**said, "state": QUEUED, "attempt": said["attempt"] - 1})

        self._change(decide)


def _of(worker, live):
    """The jobs that a worker has claimed."""
    return {id_: s for id_, s in live.items() if s["state"] == RUNNING and s["worker"] == worker}


def _put(pipe, said):
    pipe.hset("live", said["id"], to_json(said))


def _end(pipe, said, state, reason=""):
    pipe.hdel("live", said["id"])
    if said["state"] in (QUEUED, RUNNING) and "/" not in said["id"]:
        pipe.rpush("newly_ended", said["id"])
    content = {**said, "state": state, "reason": reason or said["reason"]}
    pipe.set(f"job:{said['id']}", to_json(content), exat=int(said["ends"]) + _GRACE)


def _job(said):
    return Job(**{name: value for name, value in said.items() if name != "worker"})
