"""Progress of many runs: a line each, kept up to date on a terminal and said from time to time in a file."""

import sys
import time

from tqdm import tqdm

# Seconds between two looks at a history, and between two lines about a run in a file.
_LOOK, _LINE = 5, 60


class SweepProgress:
    """Tells how far the runs have come."""

    def __init__(self):
        self.bars, self.next_look, self.next_line = {}, {}, {}

    def say(self, text):
        """Prints a line that stays."""
        tqdm.write(text)
        sys.stdout.flush()

    def show(self, run, now=None):
        """Tells of a `ListedRun` its epoch, score and time left, where it is time to look again."""
        now = time.monotonic() if now is None else now
        if now < self.next_look.get(run, 0):
            return
        self.next_look[run] = now + _LOOK
        history = run.history()
        if history.empty:
            return
        line = f"{run}: {how_far(history, run.epochs, run.plan.resolved.monitor)}"
        if sys.stdout.isatty():
            self._bar(run).set_description_str(line)
        elif now >= self.next_line.get(run, 0):
            self.next_line[run] = now + _LINE
            self.say(line)

    def _bar(self, run):
        if run not in self.bars:
            self.bars[run] = tqdm(bar_format="{desc}", leave=False, file=sys.stdout)
        return self.bars[run]

    def end(self, run):
        """Takes the line of a run off the terminal."""
        if bar := self.bars.pop(run, None):
            bar.close()


def how_far(history, epochs, monitor):
    """Returns epoch, score and time left as text.

    Args:
        history: DataFrame with one row per epoch so far.
        epochs: Integer, the most epochs that there can be.
        monitor: String, the score that selects an epoch.

    Example:
        >>> how_far(pd.DataFrame({"val_auc": [0.5, 0.75], "seconds": [50, 70]}), 5, "auc")
        'epoch 2/5, auc 0.750, 3 min left'
    """
    # The median, as an epoch may have been paused.
    done, column = len(history), f"val_{monitor}"
    # Not every epoch is validated.
    known = history[column].dropna() if column in history else ()
    score = f", {monitor} {known.iloc[-1]:.3f}" if len(known) else ""
    return f"epoch {done}/{epochs}{score}, {duration((epochs - done) * history['seconds'].median())} left"


def duration(seconds):
    """Returns a time as text, to two digits or so: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
