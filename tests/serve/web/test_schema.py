"""The schema of the API: what it allows and forbids, tried by schemathesis."""

import os
import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from serve_place import Place, image_bytes

# The whole thousand: SKINKIT_SCHEMA_CASES=1000.
CASES = int(os.environ.get("SKINKIT_SCHEMA_CASES", "25"))
schema = schemathesis.pytest.from_fixture("api")
# One of too many fields is refused with 413, which the tool does not know for an answer to bad input.
REFUSED = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", "5xx"]}}}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    from skinkit.serve.settings import LiveSettings, ModelSettings, Settings, Times
    from skinkit.serve.store.sqlite_store import SqliteStore

    live = LiveSettings()
    live.current = Settings(models={"quick": ModelSettings(run="quick")}, times=Times(answer=1))
    place = Place(SqliteStore(tmp_path_factory.mktemp("schema") / "tasks.sqlite"), live)
    place.start_worker()
    client = place.client(hosts=("*",))
    task = client.post("/predict", files={"file": image_bytes()}).json()["task_uuid"]
    config = schemathesis.Config.from_dict(REFUSED)
    yield schemathesis.openapi.from_asgi("/openapi.json", client.app, config=config)
    assert client.get(f"/from_task/{uuid.UUID(task)}").status_code == 200
    place.close()


@schema.parametrize()
@settings(max_examples=CASES, deadline=None, suppress_health_check=[*HealthCheck], phases=[Phase.generate])
def test_answers_fit_the_schema(case):
    answer = case.call()
    # No worker of these tests fails, and no disk is full.
    assert answer.status_code < 500, (answer.status_code, answer.text)
    # That bytes are an image is more than a schema can say.
    case.validate_response(answer, excluded_checks=[positive_data_acceptance])


def test_good_answers_fit_the_schema(api, client):
    check = lambda method, path, answer: api[path][method].validate_response(answer)  # noqa: E731
    for path, fields in (("/predict", ["file"]), ("/predict_bulk", ["files", "files"])):
        answer = client.post(path, files=[(field, image_bytes()) for field in fields])
        check("POST", path, answer)
    task = answer.json()["task_uuid"]
    paths = {"/from_task/{task_uuid}": [200, 202], "/from_task/{task_uuid}/{index}/explanation": [200, 409]}
    for path, statuses in paths.items():
        answer = client.get(path.format(task_uuid=task, index=1))
        assert answer.status_code in statuses
        check("GET", path, answer)
    for path in ("/public_models", "/models/{model_id}", "/healthz", "/readyz", "/metrics"):
        answer = client.get(path.format(model_id="quick"))
        assert answer.status_code == 200
        check("GET", path, answer)
    for status in (204, 410):
        answer = client.delete(f"/from_task/{task}")
        assert answer.status_code == status
        check("DELETE", "/from_task/{task_uuid}", answer)
