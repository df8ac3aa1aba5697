"""The table of tasks in a Redis, for workers on other machines: tasks, images and results, without files."""

import errno
import json

import redis

from skinkit.serve.sqlite_store import together
from skinkit.serve.store import (
    DONE,
    ENDED,
    EXPIRED,
    FAILED,
    GONE,
    LOST,
    MOST_ATTEMPTS,
    QUEUED,
    RUNNING,
    Job,
    to_json,
)

# Scripts run alone: no other command comes in between.
_ADD = """
local job, task, most, score = 'job:' .. ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('EXISTS', job) == 1 then return 1 end
if most >= 0 and redis.call('ZCARD', 'queue') >= most then return 0 end
local ends = math.ceil(tonumber(ARGV[5]))
for i = 6, #ARGV, 2 do redis.call('HSET', job, ARGV[i], ARGV[i + 1]) end
redis.call('ZADD', 'queue', score, ARGV[1])
if ARGV[1] == task then
    redis.call('ZADD', 'ends', ends, task)
    for i = 1, #KEYS, 2 do
        redis.call('RPUSH', 'names:' .. task, KEYS[i])
        redis.call('RPUSH', 'images:' .. task, KEYS[i + 1])
    end
    redis.call('EXPIREAT', 'names:' .. task, ends)
    redis.call('EXPIREAT', 'images:' .. task, ends)
else
    redis.call('SADD', 'explained:' .. task, ARGV[1])
    redis.call('EXPIREAT', 'explained:' .. task, ends)
    redis.call('EXPIREAT', job, ends)
end
return 1
"""
_TAKE = f"""
local taken = {{}}
for i = 2, #ARGV do
    if redis.call('ZREM', 'queue', ARGV[i]) == 1 then
        redis.call('HSET', 'job:' .. ARGV[i], 'state', '{RUNNING}', 'worker', ARGV[1])
        redis.call('HINCRBY', 'job:' .. ARGV[i], 'attempt', 1)
        redis.call('SADD', 'running:' .. ARGV[1], ARGV[i])
        redis.call('SADD', 'busy', ARGV[1])
        table.insert(taken, ARGV[i])
    end
end
return taken
"""
_RECORD = f"""
for i = 2, #ARGV, 3 do
    local id = ARGV[i]
    local job = redis.call('HMGET', 'job:' .. id, 'worker', 'state', 'images', 'ends')
    if job[1] == ARGV[1] and job[2] == '{RUNNING}' then
        redis.call('HSET', 'answers:' .. id, ARGV[i + 1], ARGV[i + 2])
        redis.call('EXPIREAT', 'answers:' .. id, math.ceil(tonumber(job[4])))
        if redis.call('HINCRBY', 'job:' .. id, 'done', 1) == tonumber(job[3]) then
            redis.call('HSET', 'job:' .. id, 'state', '{DONE}')
            redis.call('SREM', 'running:' .. ARGV[1], id)
        end
    end
end
"""
_FAIL = f"""
local job = redis.call('HMGET', 'job:' .. ARGV[2], 'worker', 'state')
if job[1] == ARGV[1] and job[2] == '{RUNNING}' then
    redis.call('HSET', 'job:' .. ARGV[2], 'state', '{FAILED}', 'reason', ARGV[3])
    redis.call('SREM', 'running:' .. ARGV[1], ARGV[2])
end
"""
# With `uncounted`, 1 or 0: whether the attempt does not count.
_PUT_BACK = f"""
local worker, uncounted = ARGV[1], tonumber(ARGV[2])
for _, id in ipairs(redis.call('SMEMBERS', 'running:' .. worker)) do
    local key = 'job:' .. id
    local job = redis.call('HMGET', key, 'worker', 'state', 'attempt', 'created')
    if job[1] == worker and job[2] == '{RUNNING}' then
        if uncounted == 0 and tonumber(job[3]) >= {MOST_ATTEMPTS} then
            redis.call('HSET', key, 'state', '{FAILED}', 'reason', ARGV[3])
        else
            redis.call('HSET', key, 'state', '{QUEUED}')
            redis.call('HINCRBY', key, 'attempt', 0 - uncounted)
            redis.call('ZADD', 'queue', job[4], id)
        end
    end
end
redis.call('DEL', 'running:' .. worker)
redis.call('SREM', 'busy', worker)
"""
_REMOVE = """
local task, key = ARGV[1], 'job:' .. ARGV[1]
for _, id in ipairs(redis.call('SMEMBERS', 'explained:' .. task)) do
    redis.call('ZREM', 'queue', id)
    redis.call('DEL', 'job:' .. id, 'answers:' .. id)
end
redis.call('DEL', 'names:' .. task, 'images:' .. task, 'answers:' .. task, 'explained:' .. task)
redis.call('ZREM', 'queue', task)
if redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'state', ARGV[2], 'ends', ARGV[3], 'worker', '')
    redis.call('ZADD', 'ends', ARGV[3], task)
    redis.call('EXPIREAT', key, math.ceil(tonumber(ARGV[3])) + 60)
end
"""
_FIELDS = {
    **dict.fromkeys(("id", "model", "owner", "state", "reason"), str),
    **dict.fromkeys(("images", "attempt", "done"), int),
    **dict.fromkeys(("created", "ends"), float),
}


class RedisStore:
    """The table in a Redis, which it has for itself.

    Args:
        url: String, `redis://HOST:PORT/NUMBER`.
    """

    def __init__(self, url):
        self._redis = redis.Redis.from_url(url)
        scripts = {"add": _ADD, "take": _TAKE, "record": _RECORD, "fail": _FAIL}
        scripts |= {"put_back": _PUT_BACK, "remove": _REMOVE}
        self._scripts = {name: self._redis.register_script(script) for name, script in scripts.items()}

    def close(self):
        self._redis.close()

    def _run(self, script, *values, keys=()):
        try:
            return self._scripts[script](keys=list(keys), args=list(values))
        except redis.exceptions.ResponseError as error:
            if "OOM" in str(error):
                raise OSError(errno.ENOSPC, "the memory of Redis is full") from error
            raise

    def add(self, job, uploads=(), most=None):
        fields = [part for name in _FIELDS for part in (name, getattr(job, name))]
        files = [part for each in uploads for part in (each.name.encode(), each.content)]
        most = -1 if most is None else most
        return bool(self._run("add", job.id, job.task, most, job.created, job.ends, *fields, keys=files))

    def get(self, job):
        return self._jobs([job])[0]

    def _jobs(self, ids):
        """The jobs of ids, `None` for those that are not known."""
        with self._redis.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.hmget(f"job:{each}", list(_FIELDS))
            found = pipe.execute()
        return [None if row[0] is None else _job(row) for row in found]

    def ended(self, jobs):
        found = self._jobs(jobs)
        return {each for each, job in zip(jobs, found, strict=True) if job is None or job.state in ENDED}

    def answers(self, job):
        found = self._redis.hgetall(f"answers:{job}")
        return [found[place] for place in sorted(found, key=int)]

    def remove(self, task, state, ends):
        self._run("remove", task, state, ends)

    def expire(self, now, tombstone):
        due = [task.decode() for task in self._redis.zrangebyscore("ends", "-inf", now)]
        for task, job in zip(due, self._jobs(due), strict=True):
            if job is None or job.state in GONE:
                self._redis.zrem("ends", task)
                self._redis.delete(f"job:{task}")
            else:
                self.remove(task, EXPIRED, now + tombstone)

    def counts(self):
        running = sum(
            self._redis.scard(f"running:{worker.decode()}") for worker in self._redis.smembers("busy")
        )
        return {QUEUED: self._redis.zcard("queue"), RUNNING: running}

    def workers(self, since):
        alive = self._redis.zrangebyscore("workers", since, "+inf")
        cards = self._redis.hmget("cards", alive) if alive else []
        return {worker.decode(): json.loads(said) for worker, said in zip(alive, cards, strict=True) if said}

    def forget_worker(self, worker=None):
        for each in [worker] if worker else self._redis.zrange("workers", 0, -1):
            self._redis.zrem("workers", each)
            self._redis.hdel("cards", each)

    def put_back(self, since):
        for worker in self._redis.zrangebyscore("workers", "-inf", f"({since}"):
            self.forget_worker(worker)
        for worker in self._redis.smembers("busy"):
            if self._redis.zscore("workers", worker) is None:
                self._run("put_back", worker, 0, LOST)

    def beat(self, worker, now, cards):
        self._redis.hset("cards", worker, to_json(cards))
        self._redis.zadd("workers", {worker: now})

    def claim(self, worker, models, most):
        # Jobs of models that this worker does not have may wait before those that it has.
        ids = [each.decode() for each in self._redis.zrange("queue", 0, -1)]
        waiting = [job for job in self._jobs(ids) if job is not None and job.model in models] if ids else []
        chosen = {job.id: job for job in together(waiting, most)}
        taken = self._run("take", worker, *chosen) if chosen else []
        return [chosen[each.decode()] for each in taken]

    def uploads(self, job):
        if job.explains:
            place = job.explains[0]
            name, content = (self._redis.lindex(f"{kind}:{job.task}", place) for kind in ("names", "images"))
            return [] if content is None else [(name.decode(), content)]
        names, contents = (self._redis.lrange(f"{kind}:{job.task}", 0, -1) for kind in ("names", "images"))
        return [(name.decode(), content) for name, content in zip(names, contents, strict=False)]

    def record(self, worker, answers):
        self._run("record", worker, *(part for answer in answers for part in answer))

    def fail(self, worker, job, reason):
        self._run("fail", worker, job, reason)

    def give_back(self, worker):
        self._run("put_back", worker, 1, "")


def _job(row):
    return Job(
        **{name: kind(value.decode()) for (name, kind), value in zip(_FIELDS.items(), row, strict=True)}
    )
