"""Access to the server: hosts, tokens, rates, and the headers that keep a browser safe."""

import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from skinkit.files import reading
from skinkit.serve.web.problems import Problem

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Whoever watches over the server asks these by any name, and has no token.
_PROBES = ("/healthz", "/readyz")
# What a browser loads before it can send a token: it holds nothing of anybody.
_PAGES = ("/", "/app", "/docs", "/openapi.json")
# Methods that change nothing.
_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Access:
    """Who may ask, and how often.

    Args:
        tokens: Mapping from names to secrets; empty where everybody may ask.
        hosts: Strings, names under which the server is asked; `"*"` for any.
        limits: Function without arguments that returns the `skinkit.serve.settings.Limits` of now.
        is_limited: Boolean, whether rates are limited.
    """

    tokens: Mapping[str, str]
    hosts: tuple[str, ...]
    limits: Callable
    is_limited: bool = True
    limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    def owner(self, request):
        """Returns the name of the token that a request bears; `""` where there are no tokens.

        Raises:
            Problem: 400 for another host, 403 for a page of another site, 401 for another token, 429 for too
                many requests.
        """
        path = _path(request.scope)
        if path in _PROBES:
            return ""
        self._check_host(request)
        _check_site(request)
        address = request.client.host if request.client else ""
        if path in _PAGES or path.startswith("/app/"):
            self._count(request, address)
            return ""
        name = self._name(request)
        # Guesses count for the address.
        self._count(request, name or address)
        if name is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise Problem(401, "A token is needed: `Authorization: Bearer SECRET`.", headers=headers)
        return name

    def _check_host(self, request):
        host = request.headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if "*" not in self.hosts and name.strip("[]").lower() not in self.hosts:
            raise Problem(400, "The server is not asked by this name. Start it with --allowed-hosts NAME.")

    def _name(self, request):
        if not self.tokens:
            return ""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        # All are compared, so that the time says nothing.
        found = [
            name
            for name, known in self.tokens.items()
            if hmac.compare_digest(known.encode(), secret.strip().encode("utf-8", "replace"))
        ]
        return found[0] if found and kind.lower() == "bearer" else None

    def _count(self, request, who):
        if not self.is_limited:
            return
        is_post, limits = request.method == "POST", self.limits()
        item = RateLimitItemPerMinute(limits.posts if is_post else limits.reads)
        key = ("posts" if is_post else "reads", who)
        if not self.limiter.hit(item, *key):
            wait = self.limiter.get_window_stats(item, *key).reset_time - time.time()
            raise Problem(429, f"At most {item.amount} such requests a minute.", retry_after=wait)


class Guard:
    """An ASGI application behind its access: refuses, or hands on with the token's name as `state.owner`.

    Args:
        app: ASGI application.
        access: `Access`.
        watch: Function of a scope and a status, called with each answer.
    """

    def __init__(self, app, access, watch):
        self.app, self.access, self.watch = app, access, watch

    async def __call__(self, scope, receive, send):
        """Answers a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, began, app = Request(scope), time.perf_counter(), self.app
        try:
            scope.setdefault("state", {})["owner"] = self.access.owner(request)
        except Problem as problem:
            app = problem.response()

        async def send_safely(message):
            if message["type"] == "http.response.start":
                self._secure(message, scope)
                self.watch(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await app(scope, receive, send_safely)

    @staticmethod
    def _secure(message, scope):
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        # The page is asked for again each time, and sent again where it has changed.
        headers.setdefault("Cache-Control", "no-cache" if _path(scope).startswith("/app/") else "no-store")


def _check_site(request):
    """Refuses what a page of another site wants changed: a browser sends forms anywhere, and says so."""
    site = request.headers.get("sec-fetch-site", "none")
    if request.method not in _SAFE and site not in ("same-origin", "none"):
        raise Problem(403, "Pages of other sites may not ask for this.")


def _path(scope):
    """The path of a request, below that at which the server lies."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


def read_tokens(environment=os.environ):
    """Returns the tokens by name, of `SKINKIT_TOKENS=name:secret,...` or the file `SKINKIT_TOKENS_FILE`.

    Args:
        environment: Mapping of the environment's variables. A file has one `name:secret` a line.

    Raises:
        FileNotFoundError: when the file is missing.
        ValueError: for a token without name or secret, a short secret, two of one name, or a variable that
            holds none; the message never shows a secret.
    """
    text = environment.get("SKINKIT_TOKENS", "")
    if path := environment.get("SKINKIT_TOKENS_FILE"):
        with reading(path, "SKINKIT_TOKENS_FILE has one name:secret a line"):
            text = f"{text}\n{Path(path).read_text(encoding='utf-8')}"
    found = {}
    for place, said in enumerate(
        filter(None, (each.strip() for each in text.replace(",", "\n").split("\n")))
    ):
        name, _, secret = said.partition(":")
        if not name or len(secret) < _SHORTEST or name in found:
            raise ValueError(
                f"SKINKIT_TOKENS is name:secret,name:secret with different names, and secrets of {_SHORTEST} "
                f"characters or more. Received: something else at place {place + 1}"
            )
        found[name] = secret
    given = [name for name in ("SKINKIT_TOKENS", "SKINKIT_TOKENS_FILE") if name in environment]
    if given and not found:
        raise ValueError(f"{given[-1]} is set and holds no token: name one, or unset it")
    return found


_SHORTEST = 16


def allowed_hosts(asked, host):
    """Returns the names under which the server is asked.

    Args:
        asked: Strings, those that were asked for, or `None`.
        host: String, the address that it binds to.
    """
    if asked:
        return tuple(name.strip().strip("[]").lower() for name in asked)
    # A page of another site may reach a loopback address by a name of its own; another address needs a token.
    return LOOPBACK if host in LOOPBACK else ("*",)
