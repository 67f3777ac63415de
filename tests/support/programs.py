"""Programs that run beside a test, in one of its namespaces."""

import contextlib
import subprocess

import namespaces


def _is_bound(process, table, port):
    """Whether a socket of the process's namespace is bound to the port (and listens, for TCP)."""
    if process.poll() is not None:
        raise RuntimeError(f"{' '.join(process.args)} ended with {process.returncode}")
    with open(f"/proc/{process.pid}/net/{table}") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    state = "0A" if table.startswith("tcp") else "07"
    return any(int(row[1].rpartition(":")[2], 16) == port and row[3] == state for row in rows)


@contextlib.contextmanager
def running(namespace, log, bound, *words, priority=10):
    """From when it has bound every (table, port) of `bound`, e.g. ("tcp", 80), until the end."""
    with open(log, "w") as output:
        process = subprocess.Popen(
            namespaces.inside(namespace, *namespaces.real_time(priority, words)),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        for table, port in bound:
            namespaces.wait_until(lambda: _is_bound(process, table, port),
                                  f"{words[0]} on port {port}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
