"""Runs on a Ray cluster of real processes, a machine of which dies."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_package import descendants, wait_until

from skinkit.files import is_locked

pytest.importorskip("ray", reason="needs Ray: pip install 'skinkit[ray]'")
pytestmark = pytest.mark.xdist_group("sweep")

LONG = "skinkit/seconds/long"
RAY = [sys.executable, "-m", "ray.scripts.scripts"]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def cluster(seconds, tmp_path_factory):
    """The address of a cluster of two machines with a CPU each, and the process of the second one."""
    address, machines = f"127.0.0.1:{free_port()}", []
    environment = {**seconds.environment, "RAY_DISABLE_IMPORT_WARNING": "1"}

    def start(*words):
        command = [*RAY, "start", "--block", "--num-cpus=1", "--object-store-memory=80000000", *words]
        with (tmp_path_factory.mktemp("ray") / "output").open("w") as output:
            machines.append(
                subprocess.Popen(command, cwd=seconds.folder, env=environment, stdout=output, stderr=output)
            )
        return machines[-1]

    def alive():
        status = subprocess.run(
            [*RAY, "status", "--address", address], env=environment, capture_output=True, text=True
        )
        return status.stdout

    port = address.rpartition(":")[2]
    start("--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false")
    wait_until(lambda: "node_" in alive(), machines[0])
    second = start(f"--address={address}", "--node-ip-address=127.0.0.1")
    wait_until(lambda: "/2.0 CPU" in alive(), second)
    yield address, second
    for machine in machines:
        kill(machine.pid)
        machine.wait()


def kill(pid):
    for each in descendants(pid):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


def run_of(machine, out):
    """The folder of the run that a machine carries out."""
    for pid in descendants(machine.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if LONG in words:
            return out / LONG / f"corrected-smoke-fold0-seed{words[words.index('--seed') + 1]}"
    return None


def begun(machine, out, process):
    """The folder of the run that a machine carries out, once it has gone an epoch further."""
    folder = wait_until(lambda: run_of(machine, out), process)
    before = epochs(folder)
    wait_until(lambda: epochs(folder) > before, process)
    return folder


def epochs(folder):
    path = folder / "history.csv"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_the_run_of_a_machine_that_dies_goes_on_on_another(seconds, cluster, tmp_path):
    address, second = cluster
    words = (LONG, "--seed", "0-1", "--engine", "ray", "--address", address)
    process = seconds.run(*words, out=tmp_path)
    folder = begun(second, tmp_path, process)
    process.send_signal(signal.SIGINT)
    assert "Runs: 0 finished, 0 failed, 2 left, 2 in all." in seconds.end(process, code=130)
    assert not is_locked(folder / ".lock") and not (folder / "manifest.json").exists()
    process = seconds.run(*words, out=tmp_path)
    folder = begun(second, tmp_path, process)
    kill(second.pid)
    second.wait()
    assert not (folder / "manifest.json").exists()
    assert "Runs: 2 finished, 0 failed, 0 left, 2 in all." in seconds.end(process)
    log = folder.with_name(f"{folder.name}.log").read_text()
    # It was carried on twice, and never begun again.
    assert log.count("smoke profile, corrected protocol") == 3 and log.count("Epoch 1/30") == 1


def test_without_a_cluster_it_says_so(seconds, tmp_path):
    words = ("--engine", "ray", "--address", f"127.0.0.1:{free_port()}")
    printed = seconds(LONG, *words, out=tmp_path / "out", code=1)
    assert "skinkit: No Ray cluster answers at 127.0.0.1:" in printed and not any(tmp_path.iterdir())
