"""Access: hosts, tokens, rates, headers."""

import hmac

import pytest
from serve_place import image_bytes

from skinkit.serve.settings import Limits
from skinkit.serve.web.access import LOOPBACK, allowed_hosts, read_tokens

TOKENS = {"clinic": "a-long-secret-of-it", "study": "another-long-secret"}
JPEG = image_bytes()


def bearer(name):
    return {"Authorization": f"Bearer {TOKENS[name]}"}


@pytest.fixture
def guarded(place):
    place.start_worker()
    return place.client(tokens=TOKENS)


def predict(client, **options):
    return client.post("/predict", files={"file": JPEG}, **options)


def test_without_a_token_only_probes_and_pages_are_answered(guarded):
    for path in ("/healthz", "/readyz", "/", "/docs", "/openapi.json"):
        answer = guarded.get(path)
        assert answer.status_code in (200, 302) and "quick" not in answer.text, path
    for answer in (
        *(guarded.get(path) for path in ("/public_models", "/metrics", "/models/quick", "/nowhere")),
        predict(guarded),
        predict(guarded, headers={"Authorization": "Bearer wrong"}),
        predict(guarded, headers={"Authorization": f"Basic {TOKENS['clinic']}"}),
        predict(guarded, headers={"Authorization": TOKENS["clinic"]}),
    ):
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_task_belongs_to_its_token(guarded, place):
    task = predict(guarded, headers=bearer("clinic")).json()["task_uuid"]
    assert place.store.get(task).owner == "clinic"
    path = f"/from_task/{task}"
    assert guarded.get(path, headers=bearer("clinic")).status_code == 200
    for asked in (path, f"{path}/0/explanation"):
        assert guarded.get(asked, headers=bearer("study")).status_code == 404
    assert guarded.delete(path, headers=bearer("study")).status_code == 404
    assert guarded.delete(path, headers=bearer("clinic")).status_code == 204
    assert guarded.get(path, headers=bearer("study")).status_code == 404


def test_secrets_are_compared_in_constant_time(guarded, monkeypatch):
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or compare(a, b))
    assert guarded.get("/public_models", headers=bearer("clinic")).status_code == 200
    assert len(compared) == len(TOKENS)


def test_too_many_uploads_are_refused_and_other_requests_are_not(place):
    place.start_worker()
    place.settings.current = place.settings.current.model_copy(update={"limits": Limits(posts=2, reads=5)})
    client = place.client(is_limited=True)
    assert [predict(client).status_code for _ in range(3)] == [200, 200, 429]
    answer = predict(client)
    assert 1 <= int(answer.headers["retry-after"]) <= 60 and answer.json()["status"] == 429
    assert [client.get("/public_models").status_code for _ in range(6)] == [200] * 5 + [429]
    assert client.get("/healthz").status_code == 200


def test_rates_belong_to_a_token_and_guesses_to_an_address(place):
    place.start_worker()
    place.settings.current = place.settings.current.model_copy(update={"limits": Limits(posts=1)})
    client = place.client(tokens=TOKENS, is_limited=True)
    assert [predict(client, headers=bearer(name)).status_code for name in (*TOKENS, "study")] == [
        200,
        200,
        429,
    ]
    assert [predict(client).status_code for _ in range(2)] == [401, 429]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8082", "[::1]:8082", "LOCALHOST:1"])
def test_its_own_names(client, host):
    assert client.get("/public_models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8082", "127.0.0.1.evil.example", ""])
def test_other_names_are_refused_but_not_to_probes(client, host):
    answer = client.get("/public_models", headers={"Host": host})
    assert answer.status_code == 400 and "--allowed-hosts" in answer.json()["detail"]
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_hosts_by_default_and_as_asked():
    assert allowed_hosts(None, "127.0.0.1") == LOOPBACK
    assert allowed_hosts(None, "0.0.0.0") == ("*",)
    assert allowed_hosts(["A.example", " [::2]"], "0.0.0.0") == ("a.example", "::2")


@pytest.mark.parametrize("path", ["/public_models", "/nowhere", "/docs", "/from_task/1"])
def test_every_answer_is_safe_for_a_browser(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_no_other_page_may_ask(client):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/predict", headers=asked)
    assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_no_form_of_another_page_is_taken(client, place, site):
    asked = {"Sec-Fetch-Site": site}
    for answer in (predict(client, headers=asked), client.delete("/from_task/1", headers=asked)):
        assert answer.status_code == 403 and answer.headers["content-type"] == "application/problem+json"
    assert place.store.counts() == {}
    # A link to the server is followed.
    assert client.get("/public_models", headers=asked).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_forms_of_its_own_page_are_taken(client, site):
    assert predict(client, headers={"Sec-Fetch-Site": site}).status_code == 200


def test_tokens_come_from_the_environment(tmp_path):
    assert read_tokens({}) == {}
    (tmp_path / "tokens").write_text("b:another-long-secret\n\n")
    found = {"SKINKIT_TOKENS": "a:a-long:secret-of-it", "SKINKIT_TOKENS_FILE": str(tmp_path / "tokens")}
    assert read_tokens(found) == {"a": "a-long:secret-of-it", "b": "another-long-secret"}


@pytest.mark.parametrize("name", ["SKINKIT_TOKENS", "SKINKIT_TOKENS_FILE"])
def test_a_variable_without_a_token_opens_no_door(tmp_path, name):
    (tmp_path / "tokens").write_text("\n")
    for value in ("", str(tmp_path / "tokens") if name.endswith("FILE") else " ,"):
        with pytest.raises(ValueError, match=f"{name} is set and holds no token"):
            read_tokens({name: value})
    with pytest.raises(FileNotFoundError, match="nowhere is missing. SKINKIT_TOKENS_FILE has one"):
        read_tokens({"SKINKIT_TOKENS_FILE": str(tmp_path / "nowhere")})


@pytest.mark.parametrize(
    "text", ["secret-without-a-name", ":a-secret-without-a-name", "a:short", "a:b" * 8 + ",x"]
)
def test_wrong_tokens_are_not_shown(text):
    with pytest.raises(ValueError, match="name:secret") as error:
        read_tokens({"SKINKIT_TOKENS": text})
    assert "without-a-name" not in str(error.value)
