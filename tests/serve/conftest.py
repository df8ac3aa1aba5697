"""The tables of a server, and servers. Without the packages of the extra, `test_extra.py` alone says so."""

import contextlib
import importlib.util
import shutil
import subprocess

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("fastapi") else ["test_[!e]*.py", "*/test_*.py"]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """The context manager of a Redis at a port."""
    if not (command := shutil.which("redis-server")):
        pytest.skip("redis-server is not installed")
    import redis
    from serve_place import wait_until

    folder = tmp_path_factory.mktemp("redis")

    @contextlib.contextmanager
    def start(port):
        words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        process = subprocess.Popen([command, *words], stdout=subprocess.DEVNULL)
        try:
            with redis.Redis(port=port) as connection:
                wait_until(lambda: _answers(connection))
            yield
        finally:
            process.terminate()
            process.wait()

    return start


@pytest.fixture(scope="session")
def redis_address(redis_server):
    from serve_place import free_port

    port = free_port()
    with redis_server(port):
        yield f"redis://127.0.0.1:{port}/0"


def _answers(connection):
    import redis

    try:
        return connection.ping()
    except redis.exceptions.ConnectionError:
        return False


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path):
    """Each of the tables, empty."""
    from skinkit.serve.store.sqlite_store import SqliteStore

    if request.param == "sqlite":
        found = SqliteStore(tmp_path / "tasks.sqlite")
    else:
        import redis

        from skinkit.serve.store.redis_store import RedisStore

        address = request.getfixturevalue("redis_address")
        with redis.Redis.from_url(address) as connection:
            connection.flushall()
        found = RedisStore(address)
    yield found
    found.close()


@pytest.fixture
def settings():
    from skinkit.serve.settings import LiveSettings, ModelSettings, Settings

    found = LiveSettings()
    found.current = Settings(
        models={"quick": ModelSettings(run="runs/quick"), "other": ModelSettings(run="runs/other")}
    )
    return found


@pytest.fixture
def place(tmp_path, settings):
    """A server with a table of SQLite and no worker yet."""
    from serve_place import Place

    from skinkit.serve.store.sqlite_store import SqliteStore

    found = Place(SqliteStore(tmp_path / "place.sqlite"), settings)
    yield found
    found.close()


@pytest.fixture
def client(place):
    """A client of a server with a worker."""
    place.start_worker()
    return place.client()
