"""The worker: it has the models, claims tasks from the table and answers them."""

import logging
import threading
import time

from skinkit.serve.store import Answer

_LOG = logging.getLogger(__name__)
# Images that go through a network at a time.
_BATCH = 32
# Seconds between two looks into the table, two signs of life, and two looks at the settings.
_LOOK, _BEAT, _REFRESH = 0.005, 1.0, 1.0
_LONGEST_REASON = 500


class Refused(Exception):
    """A model that cannot be served, when a worker starts."""


class Worker:
    """Answers tasks until it is told to stop.

    Args:
        name: String, unlike that of any other worker.
        store: `skinkit.serve.store.Store`.
        settings: `skinkit.serve.settings.LiveSettings`.
        load: Function of a model's name and `ModelSettings` that returns what answers, as `ServedModel` does.
        goes_on: Function that says whether to go on; asked between two batches.
    """

    def __init__(self, name, store, settings, load, goes_on):
        self.name, self.store, self.settings = name, store, settings
        self.load, self.goes_on = load, goes_on
        self.models, self._tried, self._over = {}, {}, threading.Event()
        # How many workers there are: of what waits, each takes its share at a time.
        self._share = 1

    def run(self, strict=True):
        """Serves; in the end it gives back what it has not finished.

        Args:
            strict: As in `load_models`, for those that are there at first.

        Raises:
            Refused: for a model that cannot be served.
        """
        self.load_models(strict)
        beating = threading.Thread(target=self._beat, daemon=True)
        beating.start()
        due = 0.0
        try:
            while self.goes_on():
                if not self.step():
                    time.sleep(_LOOK)
                if time.monotonic() >= due:
                    self._refresh()
                    due = time.monotonic() + _REFRESH
        finally:
            self._over.set()
            beating.join()
            self.store.give_back(self.name)
            self.store.forget_worker(self.name)

    def _refresh(self):
        self.settings.refresh()
        self.load_models()
        since = time.time() - self.settings.current.times.worker
        self._share = max(1, len(self.store.workers(since)))

    def load_models(self, strict=False):
        """Loads what the settings name and is not loaded; of a model that fails the old one stays.

        Args:
            strict: Whether `Refused` is raised instead.
        """
        wanted = self.settings.current.models
        if wanted == self._tried:
            return
        loaded = dict(self.models)
        for name, said in wanted.items():
            if said == self._tried.get(name):
                continue
            try:
                loaded[name] = self.load(name, said)
            except Exception as error:
                expected = isinstance(error, OSError | ValueError)
                why = error if expected else f"{type(error).__name__}: {error}"
                if strict:
                    raise Refused(f"{name}: {why}") from error
                _LOG.error("%s is not served as it is set now: %s", name, why)
        self._tried = dict(wanted)
        # All at once: the sign of life reads them from another thread.
        self.models = {name: model for name, model in loaded.items() if name in wanted}
        self._say_alive()

    def _say_alive(self):
        self.store.beat(self.name, time.time(), [model.card for model in self.models.values()])

    def _beat(self):
        while not self._over.wait(_BEAT):
            try:
                self._say_alive()
            except Exception:
                _LOG.exception("No sign of life could be given; the next one follows")

    def step(self):
        """Answers what waits, as much as goes through a network at once; returns whether there was any."""
        jobs = self.store.claim(self.name, list(self.models), _BATCH, self._share)
        if jobs and jobs[0].explains:
            self._explain(jobs[0])
        elif jobs:
            self._answer(jobs)
        return bool(jobs)

    def _explain(self, job):
        place, label = job.explains
        try:
            # Without an image its task was deleted a moment ago.
            ((_, content),) = self.store.uploads(job)
            overlay = self.models[job.model].overlay(content, label)
        except Exception as error:
            self._fail(job, error)
        else:
            self.store.record(self.name, [Answer(job.id, place, overlay)])

    def _answer(self, jobs):
        waiting = [
            (job, place, image)
            for job in jobs
            for place, image in enumerate(self.store.uploads(job))
            # A task that was given back has some answers already.
            if place >= job.done
        ]
        for first in range(0, len(waiting), _BATCH):
            if not self.goes_on():
                return
            batch = waiting[first : first + _BATCH]
            try:
                found = self.models[jobs[0].model].answers([image for _, _, image in batch])
            except Exception as error:
                self._fail_one_of(jobs, error)
                return
            answers = [
                Answer(job.id, place, each) for (job, place, _), each in zip(batch, found, strict=True)
            ]
            self.store.record(self.name, answers)

    def _fail_one_of(self, jobs, error):
        """Of several tasks one is at fault: each is tried alone."""
        if len(jobs) == 1:
            self._fail(jobs[0], error)
            return
        for job in jobs:
            self._answer([job])

    def _fail(self, job, error):
        _LOG.exception("A task has failed")
        # Of an OSError without the path that it names: a client reads it.
        said = error.strerror or "see the log" if isinstance(error, OSError) else error
        self.store.fail(self.name, job.id, f"{type(error).__name__}: {said}"[:_LONGEST_REASON])
