"""The command `skinkit`: its parser, and what each command does."""

from skinkit.cli.command_line import main, parser
