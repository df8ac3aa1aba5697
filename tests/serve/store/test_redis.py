"""What only a Redis does: it is full, it goes away, or is not there."""

import threading

import pytest
import redis
from serve_place import free_port

from skinkit.serve.store import Job, open_store
from skinkit.serve.web.images import Upload


def test_a_full_redis_stores_nothing_and_tells_no_names(redis_address, tmp_path):
    store = open_store(redis_address, tmp_path)
    upload = Upload("Erika Mustermann.jpg", bytes(10**6))
    with redis.Redis.from_url(redis_address) as connection:
        connection.config_set("maxmemory", "1mb")
        try:
            with pytest.raises(OSError, match="memory of Redis is full") as error:
                store.add(Job("full", "quick", "me", 1, ends=1e10), [upload])
        finally:
            connection.config_set("maxmemory", 0)
    assert error.value.errno == 28 and error.value.__suppress_context__
    assert store.get("full") is None
    store.close()


def test_a_worker_waits_for_a_redis_that_goes_away(redis_server, tmp_path):
    port, found = free_port(), []
    with redis_server(port):
        store = open_store(f"redis://127.0.0.1:{port}/0", tmp_path, is_patient=True)
    claiming = threading.Thread(target=lambda: found.append(store.claim("worker", ["quick"], 32)))
    claiming.start()
    claiming.join(0.2)
    assert claiming.is_alive()
    with redis_server(port):
        claiming.join(10)
    assert found == [[]]
    store.close()


def test_an_address_without_a_redis_is_told(tmp_path):
    with pytest.raises(ValueError, match="No Redis answers"):
        open_store(f"redis://127.0.0.1:{free_port()}/0", tmp_path)
    for address in ("redis://:secret/1@here:1/0", "redis://:secret@here/0?words=1"):
        with pytest.raises(ValueError, match="%2F %23 %3F %40") as error:
            open_store(address, tmp_path)
        assert "secret" not in str(error.value)
