"""A network of one's own: namespaces that nobody else sees, and commands in them.

`isolate()` starts the program again in a mount, network and PID namespace of its own: whatever ends
it, even SIGKILL, ends every process in it and takes the interfaces, mounts and files along. Nothing
on the host is touched.
"""

import functools
import os
import shutil
import subprocess
import sys
import time

FILES = "/run/wirelag-test"
_INSIDE = "WIRELAG_TEST_INSIDE"
_UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def why_not(programs):
    """Why a program that needs all this cannot run here, or nothing."""
    if os.geteuid() != 0:
        return "it needs root: it makes network namespaces and raw sockets"
    for program in programs:
        if shutil.which(program) is None:
            return f"there is no {program}"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    if subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode != 0:
        return "this machine does not allow new namespaces"
    return None


def isolate():
    """Returns inside the namespaces; outside it never returns."""
    if _INSIDE in os.environ:
        return
    os.environ[_INSIDE] = "1"
    os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, *sys.argv])


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def inside(namespace, *words):
    return ["ip", "netns", "exec", namespace, *words]


@functools.cache
def _may_be_real_time():
    return subprocess.run(["chrt", "--fifo", "1", "true"], capture_output=True).returncode == 0


def real_time(priority, command):
    """Runs before everything that has no priority, where that is allowed. What uses it must rest
    when idle."""
    return ["chrt", "--fifo", str(priority), *command] if _may_be_real_time() else list(command)


def make_files():
    """Lays a folder for files and for `ip netns` over the host's /run, and a file of our own over
    the host's resolv.conf."""
    run("mount", "-t", "tmpfs", "none", "/run")
    os.mkdir("/run/netns")
    os.mkdir(FILES)
    ours = os.path.join(FILES, "resolv.conf")
    open(ours, "w").close()
    target = os.path.realpath("/etc/resolv.conf")
    if target.startswith("/run/"):  # systemd-resolved's, which the tmpfs hides
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    run("mount", "--bind", ours, target)
    run("ip", "link", "set", "lo", "up")


def use_resolvers(addresses, options="timeout:10 attempts:1"):
    with open("/etc/resolv.conf", "w") as f:
        f.writelines(f"nameserver {a}\n" for a in addresses)
        f.write(f"options {options}\n")


def wait_until(condition, what, within_s=20):
    deadline = time.monotonic() + within_s
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s} s: {what}")
        time.sleep(0.01)
    return result
