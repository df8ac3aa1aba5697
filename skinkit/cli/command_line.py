"""The command `skinkit`, also `python -m skinkit`."""

import argparse
import os
import sys

from skinkit import __version__
from skinkit.cli import data_sets, documents, finished_runs, runs
from skinkit.cli.options import NOT_CLINICAL
from skinkit.registration import import_modules


def main(arguments=None):
    """Runs the command line and returns its exit code.

    0 done, 1 failed, 2 a command or option is wrong, 75 another process carries out the run, 130 stopped.
    """
    options = parser().parse_args(arguments)
    try:
        import_modules(getattr(options, "imports", ()))
        return options.action(options) or 0
    except BrokenPipeError:
        # `skinkit ... | head` has read enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"skinkit: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    except KeyboardInterrupt:
        print("skinkit: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def parser():
    """Returns the parser of all commands."""
    made = argparse.ArgumentParser(
        prog="skinkit",
        description="Reproduce five documents on skin-lesion classification. " + NOT_CLINICAL,
        epilog="Start with `skinkit demo`, or `skinkit list` and `skinkit run RECIPE --profile smoke`.",
    )
    made.add_argument("--version", action="version", version=f"skinkit {__version__}")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for room in (runs, documents, finished_runs, data_sets):
        room.add_commands(commands)
    return made
