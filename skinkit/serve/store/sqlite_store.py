"""The table of tasks in one file of SQLite, for the processes of one machine."""

import contextlib
import errno
import sqlite3
import threading

from skinkit.serve.store.jobs import (
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
    together,
)
from skinkit.serve.store.store import read_cards, to_json

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, task TEXT, model TEXT, owner TEXT, images INTEGER, state TEXT, attempt INTEGER,
    done INTEGER, reason TEXT, created REAL, ends REAL, worker TEXT);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, created);
CREATE INDEX IF NOT EXISTS by_task ON jobs (task);
CREATE TABLE IF NOT EXISTS images (
    task TEXT, place INTEGER, name TEXT, content BLOB, PRIMARY KEY (task, place));
CREATE TABLE IF NOT EXISTS answers (
    job TEXT, task TEXT, place INTEGER, content BLOB, PRIMARY KEY (job, place));
CREATE INDEX IF NOT EXISTS answers_by_task ON answers (task);
CREATE TABLE IF NOT EXISTS workers (id TEXT PRIMARY KEY, beat REAL, cards TEXT);
CREATE TABLE IF NOT EXISTS newly_ended (id TEXT PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS ends AFTER UPDATE OF state ON jobs
    WHEN new.id = new.task AND old.state IN ('queued', 'running') AND new.state NOT IN ('queued', 'running')
    BEGIN INSERT INTO newly_ended VALUES (new.id); END;
"""
_COLUMNS = "id, model, owner, images, state, attempt, done, reason, created, ends"
_WAIT = 30


class SqliteStore:
    """The table in a file.

    Args:
        path: Path of the file, on a disk of this machine: SQLite is not safe on a network folder.
    """

    def __init__(self, path):
        self._lock = threading.RLock()
        # It holds images of patients; SQLite gives its log of changes the same mode.
        path.touch(0o600)
        path.chmod(0o600)
        self._base = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        self._base.executescript(_TABLES)

    def close(self):
        with self._lock:
            self._base.close()

    def add(self, job, uploads=(), most=None):
        with self._changing() as base:
            if most is not None and self._waiting(base) >= most:
                return False
            row = (*(getattr(job, name) for name in _COLUMNS.split(", ")), job.task)
            marks = ", ".join("?" * len(row))
            base.execute(f"INSERT OR IGNORE INTO jobs ({_COLUMNS}, task) VALUES ({marks})", row)
            base.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?)",
                [(job.id, place, each.name, each.content) for place, each in enumerate(uploads)],
            )
            return True

    @staticmethod
    def _waiting(base):
        return base.execute("SELECT count(*) FROM jobs WHERE state = ?", (QUEUED,)).fetchone()[0]

    def get(self, job):
        found = self._read(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job,))
        return Job(*found[0]) if found else None

    def ended(self, jobs):
        found = self._read(f"SELECT id, state FROM jobs WHERE id IN ({_marks(jobs)})", jobs)
        return {*jobs} - {job for job, state in found if state not in ENDED}

    def answers(self, job):
        found = self._read("SELECT content FROM answers WHERE job = ? ORDER BY place", (job,))
        return [content for (content,) in found]

    def remove(self, task, state, ends):
        with self._changing() as base:
            self._remove(base, task, state, ends)
        self._read("PRAGMA wal_checkpoint(TRUNCATE)")

    @staticmethod
    def _remove(base, task, state, ends):
        base.execute("DELETE FROM images WHERE task = ?", (task,))
        base.execute("DELETE FROM answers WHERE task = ?", (task,))
        base.execute("DELETE FROM jobs WHERE task = ? AND id != task", (task,))
        base.execute("UPDATE jobs SET state = ?, ends = ?, worker = NULL WHERE id = ?", (state, ends, task))

    def expire(self, now, tombstone):
        due = self._read("SELECT id, task, state FROM jobs WHERE ends <= ?", (now,))
        if not due:
            return
        with self._changing() as base:
            for job, task, state in due:
                if state in GONE:
                    base.execute("DELETE FROM jobs WHERE id = ?", (job,))
                else:
                    self._remove(base, task, EXPIRED, now + tombstone)
        # What was deleted stands in the log of changes until then.
        self._read("PRAGMA wal_checkpoint(TRUNCATE)")

    def newly_ended(self):
        if not self._read("SELECT 1 FROM newly_ended LIMIT 1"):
            return []
        with self._changing() as base:
            rows = base.execute(f"SELECT {_COLUMNS} FROM jobs JOIN newly_ended USING (id)").fetchall()
            base.execute("DELETE FROM newly_ended")
            return [Job(*row) for row in rows]

    def counts(self):
        return dict(self._read("SELECT state, count(*) FROM jobs WHERE id = task GROUP BY state"))

    def workers(self, since):
        found = self._read("SELECT id, cards FROM workers WHERE beat >= ?", (since,))
        return {worker: read_cards(cards) for worker, cards in found}

    def forget_worker(self, worker=None):
        self._change("DELETE FROM workers WHERE ? IN (id, 'all')", worker or "all")

    def put_back(self, since):
        alive = "SELECT id FROM workers WHERE beat >= ?"
        lost = f"state = '{RUNNING}' AND worker NOT IN ({alive})"
        if not self._read(f"SELECT 1 FROM jobs WHERE {lost} LIMIT 1", (since,)):
            return
        with self._changing() as base:
            base.execute(
                f"UPDATE jobs SET state = ?, reason = ? WHERE {lost} AND attempt >= ?",
                (FAILED, LOST, since, MOST_ATTEMPTS),
            )
            base.execute(f"UPDATE jobs SET state = ? WHERE {lost}", (QUEUED, since))

    def beat(self, worker, now, cards):
        self._change("REPLACE INTO workers VALUES (?, ?, ?)", worker, now, to_json(cards).decode())

    def claim(self, worker, models, most, share=1):
        # Most looks find nothing, and should keep nobody from writing.
        if not self._read(f"SELECT 1 FROM jobs WHERE {_waits_for(models)} LIMIT 1", (QUEUED, *models)):
            return []
        with self._changing() as base:
            rows = base.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE {_waits_for(models)} ORDER BY created, id LIMIT ?",
                (QUEUED, *models, most * share),
            )
            chosen = together([Job(*row) for row in rows], most, share)
            ids = [job.id for job in chosen]
            base.execute(
                f"UPDATE jobs SET state = ?, worker = ?, attempt = attempt + 1 WHERE id IN ({_marks(ids)})",
                (RUNNING, worker, *ids),
            )
            return chosen

    def uploads(self, job):
        if job.explains:
            rows = "SELECT name, content FROM images WHERE task = ? AND place = ?"
            return self._read(rows, (job.task, job.explains[0]))
        return self._read("SELECT name, content FROM images WHERE task = ? ORDER BY place", (job.id,))

    def record(self, worker, answers):
        with self._changing() as base:
            for answer in answers:
                mine = "id = ? AND worker = ? AND state = ?"
                added = base.execute(
                    f"UPDATE jobs SET done = done + 1 WHERE {mine}", (answer.job, worker, RUNNING)
                ).rowcount
                if added:
                    row = (answer.job, answer.job.partition("/")[0], answer.place, answer.content)
                    base.execute("REPLACE INTO answers VALUES (?, ?, ?, ?)", row)
            base.execute(
                "UPDATE jobs SET state = ? WHERE worker = ? AND state = ? AND done = images",
                (DONE, worker, RUNNING),
            )

    def fail(self, worker, job, reason):
        mine = "id = ? AND worker = ? AND state = ?"
        self._change(
            f"UPDATE jobs SET state = ?, reason = ? WHERE {mine}", FAILED, reason, job, worker, RUNNING
        )

    def give_back(self, worker):
        back = "UPDATE jobs SET state = ?, attempt = attempt - 1 WHERE worker = ? AND state = ?"
        self._change(back, QUEUED, worker, RUNNING)

    def _change(self, statement, *values):
        with self._changing() as base:
            base.execute(statement, values)

    def _read(self, statement, values=()):
        with self._lock:
            return self._base.execute(statement, tuple(values)).fetchall()

    @contextlib.contextmanager
    def _changing(self):
        """The base within a transaction that no other process interrupts."""
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.OperationalError):
                    # A full disk has ended the transaction already.
                    self._base.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                    raise OSError(errno.ENOSPC, "the disk is full") from error
                raise


def _waits_for(models):
    return f"state = ? AND model IN ({_marks(models)})"


def _marks(values):
    return ", ".join("?" * len(values))
