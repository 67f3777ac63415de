"""What the benchmark runs on and with."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def cores_of_cpus():
    """{physical core: [its CPUs]} of those that this process may use."""
    cores = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores.setdefault(siblings.read_text() if siblings.exists() else cpu, []).append(cpu)
    return cores


def cpus_core_by_core():
    """One CPU of every physical core, then the next of each: workers share a core only when none is left."""
    cores = list(cores_of_cpus().values())
    return [core[n] for n in range(max(map(len, cores))) for core in cores if n < len(core)]


def output_of(*command):
    try:
        run = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60)
        return (run.stdout + run.stderr).strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine():
    cpu = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return f"{cpu[1] if cpu else 'CPU unknown'}, {os.cpu_count()} CPUs on {len(cores_of_cpus())} cores, {memory / 2**20:.0f} GiB, kernel {os.uname().release}"


def commit():
    return output_of("git", "-C", ROOT, "rev-parse", "--short=12", "HEAD") if (ROOT / ".git").exists() else "?"


def versions():
    packages = ["g++", "libdpdk-dev", "libhyperscan-dev", "libpcap0.8", "tshark", "tcpdump", "tcptrace", "libndpi-bin",
                "nfdump", "softflowd", "argus-server", "valgrind"]
    found = dict(re.findall(r"^(\S+) (\S+)$", output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages), re.M))
    kind = re.search(r'"name": "buildtype", "value": "(\w+)"', output_of("meson", "introspect", "--buildoptions", ROOT / "build"))
    return f"wirelag as {kind[1] if kind else 'built elsewhere'}, " + ", ".join(f"{p} {v}" for p, v in found.items())
