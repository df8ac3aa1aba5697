"""Containerfile and compose.yaml, read and not built: commands that exist, no root, no secret."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from skinkit.cli import parser

ROOT = Path(__file__).parents[2]
# A continued line is one instruction; comments are none.
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text(encoding="utf-8")).splitlines()
STEPS = [tuple(line.split(" ", 1)) for line in LINES if line and not line.startswith("#")]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "skinkit"]
SCALED = "--queue redis://redis:6379/0 --workers 0"
SECRET = re.compile(r"token|secret|password|key", re.IGNORECASE)


def said(instruction):
    return [words for name, words in STEPS if name == instruction]


def filled_in(text, **variables):
    """Returns text of compose.yaml with its variables; one that is not given has its default."""
    return re.sub(r"\$\{(\w+):-(.*?)\}", lambda found: variables.get(found[1], found[2]), text)


def served(words):
    assert words[0] == "serve"
    return parser().parse_args(words)


def test_the_image_is_slim_and_not_run_by_root():
    assert all("-slim" in words for words in said("FROM"))
    assert said("USER") == ["10001"]
    after = STEPS[STEPS.index(("USER", "10001")) + 1 :]
    assert not [step for step in after if step[0] in ("RUN", "COPY", "ADD")]


def test_what_is_copied_exists_and_is_not_ignored():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [word for words in said("COPY") if "--from" not in words for word in words.split()[:-1]]
    assert sorted(copied) == sorted(kept) and all((ROOT / name).exists() for name in kept)


def test_the_image_starts_the_server_for_others():
    command = [*json.loads(said("ENTRYPOINT")[0]), *json.loads(said("CMD")[0])]
    assert command[0] == "skinkit"
    options = served(command[1:])
    assert options.host == "0.0.0.0" and not options.open, "it asks for tokens"
    assert said("EXPOSE") == [str(options.port)]


def test_the_health_check_asks_a_route_that_needs_no_token():
    access = pytest.importorskip("skinkit.serve.web.access", reason="needs pip install 'skinkit[serve]'")
    (check,) = said("HEALTHCHECK")
    program, option, code = json.loads(check.partition("CMD ")[2])
    assert (program, option) == ("python", "-c") and compile(code, "check", "exec")
    (path,) = re.findall(r"http://127\.0\.0\.1:8082(/\w+)", code)
    assert path in access._PROBES


def test_all_that_is_written_goes_to_volumes():
    (variables,) = said("ENV")
    places = dict(word.split("=") for word in variables.split())
    written = [places[name] for name in ("HOME", "MPLCONFIGDIR", "SKINKIT_CACHE")]
    written.append(served(json.loads(said("CMD")[0])).out)
    assert {place.split("/")[1] for place in written} == {"tmp", "data"}
    for name in OURS:
        assert SERVICES[name]["tmpfs"] == ["/tmp"]
        assert "data:/data" in SERVICES[name]["volumes"], name
    assert "data" in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_needs(name):
    service = SERVICES[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service
    assert name in OURS or service["user"] == "redis"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert all(volume.endswith(":ro") for volume in service.get("volumes", ()) if volume.startswith("."))


def test_no_file_holds_a_secret():
    assert not [words for name in ("ENV", "ARG") for words in said(name) if SECRET.search(words)]
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert re.fullmatch(rf"\$\{{{name}:\?.+\}}", value), f"{name} comes from outside"


def test_one_machine_has_a_file_and_a_worker():
    alone = [name for name, service in SERVICES.items() if "profiles" not in service]
    assert alone == ["web"]
    options = served(shlex.split(filled_in(SERVICES["web"]["command"])))
    assert (options.runs, options.workers, options.queue) == ([], 1, None)


def test_scaled_they_share_a_redis():
    scaled = [name for name, service in SERVICES.items() if service.get("profiles") == ["scale"]]
    assert scaled == ["worker", "redis"]
    assert f'SKINKIT_OPTIONS="{SCALED}"' in (ROOT / "compose.yaml").read_text(encoding="utf-8")
    given = {"SKINKIT_RUNS": "/runs/a /runs/b", "SKINKIT_OPTIONS": SCALED}
    web, worker = (served(shlex.split(filled_in(SERVICES[name]["command"], **given))) for name in OURS)
    assert web.queue == worker.queue == "redis://redis:6379/0"
    assert web.workers == 0 and worker.worker and web.runs == worker.runs == ["/runs/a", "/runs/b"]
    assert "table" in SERVICES["web"]["networks"] and SERVICES["redis"]["networks"] == ["table"]
    assert COMPOSE["networks"]["table"]["internal"]
