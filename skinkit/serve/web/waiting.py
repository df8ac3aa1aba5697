"""Waiting for workers, by one look into the table for all who wait."""

import asyncio

from starlette.concurrency import run_in_threadpool

_LOOK = 0.01


class Waiting:
    """Requests that wait until a job has ended.

    Args:
        store: `skinkit.serve.store.Store`.
    """

    def __init__(self, store):
        self.store, self._events, self._looking = store, {}, None
        self._stopped = False

    async def until_ended(self, job, seconds):
        """Waits for a job, at most so many seconds; returns whether it has ended."""
        event = self._events.setdefault(job, asyncio.Event())
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._events.pop(job, None)
        return event.is_set() and not self._stopped

    def stop(self):
        """Ends all waiting, because the server stops; safe from another thread."""
        self._stopped = True

    async def _look(self):
        while self._events:
            jobs = list(self._events)
            ended = jobs if self._stopped else await run_in_threadpool(self.store.ended, jobs)
            for job in ended:
                if job in self._events:
                    self._events[job].set()
            await asyncio.sleep(_LOOK)
