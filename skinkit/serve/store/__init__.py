"""The table of tasks: a file of SQLite, or a Redis for workers on other machines."""

from skinkit.serve.store.jobs import (
    DELETED,
    DONE,
    ENDED,
    EXPIRED,
    FAILED,
    GONE,
    LOST,
    QUEUED,
    RUNNING,
    Answer,
    Job,
)
from skinkit.serve.store.store import QUEUE, Store, model_cards, open_store, to_json
