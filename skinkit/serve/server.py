"""The start of the server: settings, access, table, application and workers, put together."""

import contextlib
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

_OURS = ("host", "port", "workers", "reload", "factory", "access_log")


def serve(
    runs=(),
    config=None,
    workers=1,
    queue=None,
    host="127.0.0.1",
    port=8082,
    out="results/serve",
    data_dir=None,
    api_only=False,
    is_limited=True,
    hosts=None,
    is_open=False,
    uvicorn_words=(),
):
    """Serves finished runs until it is told to stop; returns the exit code.

    Args:
        runs: Paths of run folders; where neither they nor `config` name a model, the demo network is served.
        config: Path of a TOML file of settings: see `skinkit.serve.settings`.
        workers: Integer, worker processes on this machine; 0 where all are elsewhere.
        queue: String, `redis://...` of a table for workers on other machines; `None` for a file in `out`.
        host: String, address to bind to.
        port: Integer.
        out: Folder of the server's own files.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        api_only: Boolean, whether the page is left out.
        is_limited: Boolean, whether requests are counted and limited.
        hosts: Strings, names under which it is asked; by default those of this machine.
        is_open: Boolean, whether everybody may ask who reaches an address other than loopback.
        uvicorn_words: Strings, options of uvicorn's own command: TLS, root path, proxies.

    Raises:
        FileNotFoundError, ValueError: for wrong settings, tokens or options, before anything is started.
    """
    start_log()
    asked = worker_words(runs, config, queue, out, data_dir)
    settings = LiveSettings(config, asked["runs"])
    access = Access(
        _tokens(host, is_open), allowed_hosts(hosts, host), lambda: settings.current.limits, is_limited
    )
    options = {"host": host, "port": port, **uvicorn_options(uvicorn_words)}
    with _table(queue, Path(out)) as store:
        counted = Metrics(store, lambda: settings.current.times)
        app = make_app(store, settings, counted, has_page=not api_only)
        server = Server(Guard(app, access, counted.watch), app.state.desk.waiting, options)
        return Supervisor(server, store, settings, workers, {**asked, "parent": os.getpid()}).run()


def worker_words(runs, config, queue, out, data_dir):
    """Returns what a worker process is asked, as JSON's own types; arguments as in `serve`."""
    is_demo = not LiveSettings(config, runs).current.models
    return {
        "name": str(uuid.uuid4()),
        "queue": queue,
        "out": str(out),
        "config": config and str(config),
        "runs": [str(Path(out) / "demo")] if is_demo else [*map(str, runs)],
        "data_dir": data_dir,
        "demo": is_demo,
        "parent": None,
    }


def _tokens(host, is_open):
    tokens = read_tokens()
    if host not in LOOPBACK and not tokens and not is_open:
        raise ValueError(
            f"At {host} everybody may ask who reaches it. Give tokens in the environment, "
            "SKINKIT_TOKENS=name:secret, or say --open"
        )
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
    try:
        context = uvicorn.main.make_context("uvicorn", ["app", *words])
    except click.ClickException as error:
        raise ValueError(f"--uvicorn: {error.format_message()}") from error
    given = click.core.ParameterSource.COMMANDLINE
    found = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is given and name != "app"
    }
    if ours := [name for name in found if name in _OURS]:
        raise ValueError(f"--uvicorn: {ours[0]} is an option of `skinkit serve` itself, or of no use")
    return found
