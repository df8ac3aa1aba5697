"""Pieces that several commands share."""

import sys

from skinkit.papers.recipe import PROFILES

NOT_CLINICAL = "Research and teaching only. Not for clinical use."


def add_command(commands, name, action, text):
    """Adds a command that calls `action`, with a text for the list of commands and its own page."""
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(action=action)
    return command


def add_profile(command, profile):
    """Adds `--profile` with this default."""
    command.add_argument("--profile", choices=PROFILES, default=profile, help="default: %(default)s")


def add_several(command, option, dest, kind, default, text):
    """Adds an option whose text says several things."""
    told = {"help": f"{text} (default: {default})", "metavar": option[2:].upper()}
    command.add_argument(option, dest=dest, type=kind, default=default, **told)


def add_import(command, dest="imports"):
    """Adds `--import`, which `main` obeys before the command where it is called `imports`."""
    text = "a module that registers names of one's own, also from the current folder (repeatable)"
    told = {"action": "append", "default": [], "metavar": "MODULE", "help": text}
    command.add_argument("--import", dest=dest, **told)


def add_data_dir(command):
    """Adds `--data`."""
    command.add_argument("--data", dest="data_dir", help="releases (default: $SKINKIT_DATA, else ./datasets)")


def verbose():
    """A progress bar on a terminal, a line an epoch in a file."""
    return 1 if sys.stdout.isatty() else 2
