"""The start of the server: settings, access, table, application and workers, put together."""

import contextlib
import logging
import os
import uuid
from pathlib import Path

import click
import uvicorn

from skinkit.files import locked
from skinkit.serve.audit import start_log
from skinkit.serve.settings import LiveSettings
from skinkit.serve.store import open_store
from skinkit.serve.supervisor import Server, Supervisor
from skinkit.serve.web.access import LOOPBACK, Access, Guard, allowed_hosts, read_tokens
from skinkit.serve.web.app import make_app
from skinkit.serve.web.metrics import Metrics
from skinkit.serve.worker import process

_LOG = logging.getLogger(__name__)
_SHARED = "A worker on its own shares a Redis with the server: --queue redis://HOST:PORT/0"
_OURS = ("host", "port", "workers", "reload", "factory", "access_log", "app_dir", "interface", "loop")


def serve(options):
    """Serves finished runs until it is told to stop; returns the exit code.

    Args:
        options: Namespace of the options of `skinkit.serve.command`, `own_modules` and `data_dir`.

    Raises:
        FileNotFoundError, ValueError: for wrong settings, tokens or options, before anything is started.
    """
    start_log()
    if not options.workers and options.queue is None:
        raise ValueError(f"--workers 0 leaves the work to others. {_SHARED}")
    address = {"host": options.host, "port": options.port, **uvicorn_options(options.uvicorn)}
    asked = worker_words(options)
    settings = LiveSettings(options.config, asked["runs"])
    access = Access(
        _tokens(options.host, options.open),
        allowed_hosts(options.allowed_hosts and options.allowed_hosts.split(","), options.host),
        lambda: settings.current.limits,
        is_limited=options.rate_limit == "on",
    )
    with _table(options.queue, Path(options.out)) as store:
        counted = Metrics(store, lambda: settings.current.times)
        app = make_app(store, settings, counted, has_page=not options.api_only)
        server = Server(Guard(app, access, counted.watch), app.state.desk.waiting, address)
        words = {**asked, "parent": os.getpid()}
        return Supervisor(server, store, settings, options.workers, words).run()


def be_a_worker(options):
    """Answers the tasks of a server elsewhere until it is told to stop; returns the exit code.

    Args:
        options: As in `serve`.

    Raises:
        ValueError: without the address of a Redis.
    """
    if options.queue is None:
        raise ValueError(_SHARED)
    return process.main(worker_words(options))


def worker_words(options):
    """Returns what a worker process is asked, as JSON's own types; `options` as in `serve`."""
    is_demo = not LiveSettings(options.config, options.runs).current.models
    demo = str(Path(options.out) / "demo")
    return {
        "name": str(uuid.uuid4()),
        "queue": options.queue,
        "out": options.out,
        "config": options.config,
        "runs": [demo] if is_demo else options.runs,
        "data_dir": options.data_dir,
        "imports": options.own_modules,
        "demo": demo if is_demo else None,
        "again": False,
        "parent": None,
    }


def _tokens(host, is_open):
    tokens = read_tokens()
    if host not in LOOPBACK and not tokens and not is_open:
        raise ValueError(
            f"At {host} everybody may ask who reaches it. Give tokens in the environment, "
            "SKINKIT_TOKENS=name:secret, or say --open"
        )
    _LOG.info("Tokens in force: %s", len(tokens) or "none, everybody may ask who reaches the server")
    return tokens


@contextlib.contextmanager
def _table(queue, out):
    """The table, which a server has for itself where it is a file."""
    with contextlib.closing(open_store(queue, out)) as store:
        if queue is not None:
            yield store
            return
        busy = ValueError(f"Another server uses {out}. Give another folder to --out")
        with locked(out / "lock", busy):
            # Workers of a server that was killed are gone, or end by themselves.
            store.forget_worker()
            yield store


def uvicorn_options(words):
    """Returns options of uvicorn's command as those of `uvicorn.Config`, only those that are given.

    Raises:
        ValueError: for an option that it does not have, or that is of no use here.
    """
    found = _given(words)
    if ours := [name for name in found if name in _OURS]:
        raise ValueError(f"--uvicorn: {ours[0]} is an option of `skinkit serve` itself, or of no use")
    if "headers" in found:
        found["headers"] = [_header(said) for said in found["headers"]]
    try:
        # The application is not at hand yet, and any will do; logging would be set up for the whole process.
        uvicorn.Config(Guard, **{"log_config": None, **found}).load()
    except Exception as error:
        said = f"{type(error).__name__} {error}".strip()
        raise ValueError(f"--uvicorn: it cannot start with {', '.join(found)}: {said}") from error
    return found


def _given(words):
    """The options that the words give; `--help` and `--version` end the process once they have answered."""
    try:
        context = uvicorn.main.make_context("uvicorn", ["app", *words])
    except click.exceptions.Exit as end:
        raise SystemExit(end.exit_code) from end
    except click.ClickException as error:
        raise ValueError(f"--uvicorn: {error.format_message()}") from error
    given = click.core.ParameterSource.COMMANDLINE
    return {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is given and name != "app"
    }


def _header(said):
    name, colon, value = said.partition(":")
    if not colon:
        raise ValueError(f"--uvicorn: --header is NAME:VALUE. Received: {said!r}")
    return name.strip(), value.strip()
