"""The engine that carries runs out on the machines of a Ray cluster, which share a folder."""

import socket
import time
import uuid

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from skinkit.experiments.many_runs.sweep import LocalJob

# Seconds that a machine may take to answer whether it sees the folder.
_ANSWER = 120


def starter(address, cpus, gpus, out):
    """Returns a function that starts runs as Ray tasks, each where its CPUs and GPUs are free.

    A run whose machine dies is started again on another one, where it goes on from its folder.

    Args:
        address: Address of the cluster; `None` for the one that this machine belongs to.
        cpus: Integer, CPUs of a run.
        gpus: Float, GPUs of a run.
        out: `pathlib.Path` of the folder of all runs.

    Returns:
        Function from a command of skinkit and its log to a `RayJob`.

    Raises:
        ConnectionError: when there is no cluster.
        ValueError: when a machine does not see the folder, or none is large enough for a run.
    """
    _check_answers(address)
    ray.init(address or "auto", log_to_driver=False, logging_level="ERROR")
    machines = [node for node in ray.nodes() if node["Alive"]]
    room = {"CPU": cpus, "GPU": gpus}
    if not any(all(m["Resources"].get(n, 0) >= room[n] for n in room) for m in machines):
        raise ValueError(f"No machine of the cluster has room for a run. Received: {room}")
    _check_shared(out, machines)
    # A lost machine counts as a retry; a run that fails does not.
    task = ray.remote(_carry_out).options(num_cpus=cpus, num_gpus=gpus, max_retries=5)
    return lambda words, log: RayJob(task.remote(words, log), log)


class RayJob:
    """A command of skinkit on whichever machine takes it.

    Args:
        result: Ray's reference to its exit code.
        log: Path of the file that what it prints is added to.
    """

    def __init__(self, result, log):
        self.result, self.log = result, log

    def poll(self):
        """Returns the exit code, `None` before it has ended."""
        if not ray.wait([self.result], timeout=0)[0]:
            return None
        try:
            return ray.get(self.result)
        except ray.exceptions.RayError as error:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"\nRay: {' '.join(str(error).split())}\n")
            return 1

    def stop(self):
        """Asks it to stop."""
        ray.cancel(self.result)

    def wait(self):
        """Waits until it has stopped."""
        ray.wait([self.result], timeout=_ANSWER)


def _carry_out(words, log):
    job = LocalJob(words, log)
    try:
        while (code := job.poll()) is None:
            time.sleep(0.5)
        return code
    except BaseException:
        job.stop()
        job.wait()
        raise


def _check_answers(address):
    """Raises an error at once where nobody listens; Ray itself tries for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise ConnectionError(f"No Ray cluster answers at {address}: {error}") from error


def _check_shared(out, machines):
    """Raises an error where a machine does not see what this one writes."""
    out.mkdir(parents=True, exist_ok=True)
    token = out / f".shared-{uuid.uuid4().hex}"
    token.touch()
    try:
        on = [NodeAffinitySchedulingStrategy(machine["NodeID"], soft=False) for machine in machines]
        asked = [ray.remote(_sees).options(num_cpus=0, scheduling_strategy=each).remote(token) for each in on]
        seen = ray.get(asked, timeout=_ANSWER)
    except ray.exceptions.RayError as error:
        raise RuntimeError(f"A machine of the cluster cannot run skinkit: {error}") from error
    finally:
        token.unlink()
    if blind := [m["NodeManagerAddress"] for m, sees in zip(machines, seen, strict=True) if not sees]:
        raise ValueError(
            f"{out} is not shared with {', '.join(blind)}. Give with --out a folder that all machines of the "
            "cluster see under this path, such as one on NFS"
        )


def _sees(path):
    return path.exists()
