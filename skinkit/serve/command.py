"""The command `skinkit serve`."""

import functools
import os

from skinkit.papers.several import count
from skinkit.serve.store import QUEUE

_EXTRA = "`skinkit serve` needs more packages: pip install 'skinkit[serve]'"
_UVICORN = (
    "the rest of the line are options of uvicorn: --ssl-keyfile, --root-path, --forwarded-allow-ips ..."
)


def add_options(parser):
    """Adds the options of `skinkit serve` to an `argparse.ArgumentParser`."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run folders (default: the demo network)")
    parser.add_argument("--config", help="TOML file of models, limits and times, read again when it changes")
    number = functools.partial(count, least=0)
    parser.add_argument("--workers", type=number, default=1, help="worker processes (default: %(default)s)")
    text = f"redis://HOST:PORT/0 (default: {QUEUE} in the environment, else a file in --out)"
    parser.add_argument("--queue", metavar="URL", default=os.environ.get(QUEUE) or None, help=text)
    parser.add_argument(
        "--worker", action="store_true", help="be a worker of the server at --queue, no server"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (default: %(default)s)")
    parser.add_argument("--port", type=count, default=8082, help="default: %(default)s")
    parser.add_argument("--out", default="results/serve", help="folder to write to (default: %(default)s)")
    parser.add_argument("--api-only", action="store_true", help="no page")
    parser.add_argument("--rate-limit", choices=("on", "off"), default="on", help="default: %(default)s")
    parser.add_argument("--allowed-hosts", metavar="A,B", help="names under which browsers ask the server")
    text = "no tokens, though others can reach it; else SKINKIT_TOKENS=name:secret,... in the environment"
    parser.add_argument("--open", action="store_true", help=text)
    parser.add_argument("--uvicorn", nargs="...", default=[], metavar="OPTIONS", help=_UVICORN)


def carry_out(options):
    """Serves as the options say, and returns the exit code.

    Raises:
        RuntimeError: when the packages of the extra are missing.
    """
    try:
        from skinkit.serve import server
    except ModuleNotFoundError as error:
        raise RuntimeError(f"{_EXTRA} ({error})") from error
    return server.be_a_worker(options) if options.worker else server.serve(options)
