"""The desk of the server: tasks are taken in, and what became of them is handed out."""

import json
import time
import uuid

from skinkit.names import did_you_mean
from skinkit.serve.store import DELETED, DONE, FAILED, GONE, Job, model_cards
from skinkit.serve.web.images import accept
from skinkit.serve.web.problems import Problem
from skinkit.serve.web.uploads import Intake
from skinkit.serve.web.waiting import Waiting

# Seconds after which a client may ask again, for a result, and where there is no room or no worker.
AGAIN, BUSY = 1, 10


class Desk:
    """Takes tasks in, and hands out what became of them.

    Args:
        store: `skinkit.serve.store.Store`.
        settings: `skinkit.serve.settings.LiveSettings`.
        counted: `skinkit.serve.web.metrics.Metrics`.
    """

    def __init__(self, store, settings, counted):
        self.store, self.settings, self.counted = store, settings, counted
        self.waiting, self.intake = Waiting(store), Intake()

    @property
    def limits(self):
        """The `Limits` of now."""
        return self.settings.current.limits

    @property
    def times(self):
        """The `Times` of now."""
        return self.settings.current.times

    def cards(self):
        """Returns the cards of the models that workers have, by name."""
        return model_cards(self.store.workers(time.time() - self.times.worker))

    def card(self, name=None, unknown=400):
        """Returns the card of a model, of the default one without a name.

        Args:
            name: String or `None`.
            unknown: Integer, HTTP status of an unknown name.
        """
        cards = self.cards()
        if not cards:
            raise Problem(503, "No worker is ready: they load the models.", retry_after=BUSY)
        if name is None:
            settings = self.settings.current
            name = settings.default or next((each for each in settings.models if each in cards), min(cards))
        if name not in cards:
            known = ", ".join(sorted(cards))
            raise Problem(unknown, f"Models are {known}. Received: {name!r}.{did_you_mean(name, cards)}")
        return cards[name]

    def take_in(self, owner, model, files):
        """Returns the `Job` of files that were received, once they are checked and stored.

        Args:
            owner: String, name of the token.
            model: String, name of the model.
            files: List of pairs of name and bytes.
        """
        uploads = [accept(name, content, self.limits) for name, content in files]
        made = time.time()
        job = Job(str(uuid.uuid4()), model, owner, len(uploads), created=made, ends=made + self.times.task)
        self._add(job, uploads)
        self.counted.accepted(model, job.images)
        return job

    def _add(self, job, uploads=()):
        if not self.store.add(job, uploads, most=self.limits.queue):
            raise Problem(503, f"{self.limits.queue} tasks wait already.", retry_after=BUSY)

    def task(self, owner, task):
        """Returns a task as a `Job`; a `Problem` for one that is unknown, another's, gone or failed."""
        job = self._known(owner, task)
        if job.state == FAILED:
            raise Problem(500, f"The task has failed. {job.reason}")
        return job

    def _known(self, owner, task):
        job = self.store.get(str(task))
        if job is None or job.owner != owner:
            raise Problem(404, "There is no such task.")
        if job.state in GONE:
            raise Problem(410, f"The task is {job.state}: its images and results are no longer here.")
        return job

    def delete(self, owner, task):
        """Forgets a task, whatever became of it."""
        job = self._known(owner, task)
        self.store.remove(job.id, DELETED, time.time() + self.times.tombstone)

    def explanation(self, owner, task, place, label=None):
        """Returns the `Job` of the explanation of an image, which is added where it is new.

        Args:
            owner: String, name of the token.
            task: Uuid of the task.
            place: Integer, position of the image in the task.
            label: String, the class that is explained; `None` for the predicted one.
        """
        job = self.task(owner, task)
        if job.state != DONE:
            raise Problem(409, "There is no result yet that could be explained.", retry_after=AGAIN)
        if place >= job.images:
            raise Problem(404, f"The task has the images 0 to {job.images - 1}. Received: {place}")
        labels = self.card(job.model, unknown=503)["labels"]
        if label is None:
            label = json.loads(self.store.answers(job.id)[place])["prediction"]["prediction"]
        if label not in labels:
            hint = did_you_mean(label, labels)
            raise Problem(422, f"Labels are {', '.join(labels)}. Received: {label!r}.{hint}")
        wanted = Job(f"{job.id}/{place}/{label}", job.model, owner, 1, created=time.time(), ends=job.ends)
        if self.store.get(wanted.id) is None:
            self._add(wanted)
        return wanted
