"""The command: its options, and what it refuses before and after it has started."""

import json
import subprocess
import sys

import pytest
from serve_place import free_port

from skinkit.cli import main, parser
from skinkit.files import locked
from skinkit.serve.server import uvicorn_options, worker_words
from skinkit.serve.supervisor import Server, Supervisor


def refused(capsys, *words):
    assert main(["serve", *map(str, words)]) == 1
    return capsys.readouterr().err


def test_help_says_all(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    text = capsys.readouterr().out
    for option in (
        "RUN",
        "--config",
        "--workers",
        "--queue",
        "--host",
        "--port",
        "--open",
        "--uvicorn",
        "8082",
    ):
        assert option in text


def test_others_need_a_token_or_an_open_door(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("SKINKIT_TOKENS", raising=False)
    assert "SKINKIT_TOKENS=name:secret, or say --open" in refused(
        capsys, "--host", "0.0.0.0", "--out", tmp_path / "out"
    )
    monkeypatch.setenv("SKINKIT_TOKENS", "a:short")
    assert "16 characters" in refused(capsys, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--config", "nowhere.toml"], "nowhere.toml is missing. --config is a TOML file"),
        (["--worker"], "--queue redis://HOST:PORT/0"),
        (["--workers", "0"], "--queue redis://HOST:PORT/0"),
        (["--queue", "amqp://here"], "redis://HOST:PORT/0"),
        (["--uvicorn", "--ssl-keyfle", "x"], "--ssl-keyfle"),
        (["--uvicorn", "--port", "1"], "port is an option of `skinkit serve` itself"),
        (["--uvicorn", "--app-dir", "x"], "app_dir is an option of `skinkit serve` itself, or of no use"),
        (["--uvicorn", "--header", "X-A"], "--header is NAME:VALUE. Received: 'X-A'"),
        (["--uvicorn", "--ssl-certfile", "no.pem"], "cannot start with ssl_certfile: FileNotFoundError"),
    ],
)
def test_wrong_options_are_named(capsys, tmp_path, words, said):
    assert said in refused(capsys, "--out", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_the_number_of_workers_is_no_less_than_none(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--workers", "-1"])
    assert "Expected a whole number from 0 on. Received: '-1'" in capsys.readouterr().err


def test_the_log_says_how_many_tokens_are_in_force(capsys, monkeypatch):
    monkeypatch.setenv("SKINKIT_TOKENS", "a:a-long-secret-of-it,b:another-long-secret")
    said = refused(capsys, "--queue", "amqp://me:password@here")
    assert "Tokens in force: 2\n" in said and "secret" not in said and "password" not in said


def test_no_password_stands_in_the_words_of_a_worker(monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, env: started.append((command, env)))
    monkeypatch.setenv("SKINKIT_QUEUE", "redis://:password@here/0")
    asked = worker_words(parser().parse_args(["serve", "runs/a"]))
    Supervisor(None, None, None, 1, asked)
    ((command, environment),) = started
    assert environment["SKINKIT_QUEUE"] == asked["queue"] == "redis://:password@here/0"
    assert "runs/a" in command[-1] and "password" not in "".join(command)


def test_a_worker_that_dies_is_started_again_and_told_so(monkeypatch):
    started = []

    class Dead:
        def __init__(self, command, env):
            started.append(json.loads(command[-1]))

        def poll(self):
            return 1

    monkeypatch.setattr(subprocess, "Popen", Dead)
    monkeypatch.setattr("skinkit.serve.supervisor._PAUSE", 0.0)
    asked = worker_words(parser().parse_args(["serve", "runs/a"]))
    (worker,) = Supervisor(None, None, None, 1, asked).workers
    assert worker.keep() == 1 and worker.keep() is None
    assert [words["again"] for words in started] == [False, True]
    assert started[0]["name"] != started[1]["name"]


def test_uvicorn_gets_its_own_options_and_no_others():
    words = ["--root-path", "/skin", "--forwarded-allow-ips", "10.0.0.1", "--no-proxy-headers"]
    found = {"root_path": "/skin", "forwarded_allow_ips": "10.0.0.1", "proxy_headers": False}
    assert uvicorn_options(words) == found
    assert uvicorn_options([]) == {}


def test_what_uvicorn_is_told_counts_more_than_what_the_server_says():
    words = ["--log-level", "debug", "--no-server-header", "--timeout-graceful-shutdown", "30"]
    told = uvicorn_options([*words, "--header", "X-A: b:c"])
    config = Server(None, None, {**told, "log_config": None}).config
    assert (config.log_level, config.server_header, config.timeout_graceful_shutdown) == ("debug", False, 30)
    assert config.headers == [("X-A", "b:c")] and config.access_log is False


def test_uvicorn_helps(capsys):
    with pytest.raises(SystemExit) as end:
        main(["serve", "--uvicorn", "--help"])
    assert end.value.code == 0 and "--ssl-keyfile" in capsys.readouterr().out


def test_a_folder_has_one_server(capsys, tmp_path):
    with locked(tmp_path / "lock"):
        assert "Another server uses" in refused(capsys, "--out", tmp_path)


def test_a_run_that_cannot_be_served_ends_the_server(tmp_path):
    command = [
        sys.executable,
        "-m",
        "skinkit",
        "serve",
        tmp_path / "no-run",
        "--out",
        tmp_path,
        "--port",
        str(free_port()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "no-run: There is no run folder" in done.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['fastapi'] = None\nfrom skinkit.cli import main; sys.exit(main(['serve']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "pip install 'skinkit[serve]'" in done.stderr


def test_the_web_process_loads_nothing_heavy():
    code = "import sys, skinkit.serve.server\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*done.stdout.split()}
    assert "fastapi" in loaded and loaded.isdisjoint({"tensorflow", "keras", "sklearn", "matplotlib", "cv2"})


def test_the_command_line_loads_no_server():
    code = "import sys, skinkit.cli\nskinkit.cli.parser()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()}.isdisjoint({"fastapi", "uvicorn", "pydantic", "redis", "limits"})


def test_where_nothing_names_a_model_the_demo_is_served(tmp_path):
    config = tmp_path / "serve.toml"
    config.write_text("[limits]\nqueue = 2\n")

    def words(*said):
        return worker_words(parser().parse_args(["serve", "--out", str(tmp_path), *said]))

    found = words()
    assert [found["demo"]] == found["runs"] == [str(tmp_path / "demo")]
    assert words("--config", str(config))["demo"] == found["demo"] and words("runs/a")["demo"] is None
    assert words("runs/a", "--import", "my_layers")["imports"] == ["my_layers"] and words()["imports"] == []
