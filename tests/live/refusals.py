"""What cannot work: exit status 1 and one sentence that names the thing."""

import os
import subprocess

_BASE = '[eal]\nhugepages = false\nmemory_mb = 128\n'
_LOOPBACK = _BASE + '[[port]]\ndevice = "net_af_packet0,iface=lo"\n'

#: What it is, the configuration, EAL arguments, what the sentence must name.
CASES = (
    ("an interface that does not exist",
     _BASE + '[[port]]\ndevice = "net_af_packet0,iface=nosuch0"\n', (), "iface=nosuch0"),
    ("a NIC that does not exist", _BASE + '[[port]]\ndevice = "0000:ff:1f.7"\n', (),
     "0000:ff:1f.7"),
    ("fewer sockets than workers",
     '[appliance]\nworkers = 3\n' + _BASE +
     '[[port]]\ndevice = "net_af_packet0,iface=lo,qpairs=2"\n', (), "qpairs=2"),
    ("no port at all", _BASE, (), "[[port]]"),
    ("an unknown EAL option", _LOOPBACK, ("--no-such-option",), "--no-such-option"),
    ("an EAL option without its value", _LOOPBACK, ("--vdev",), "--vdev"),
    ("too few lcores", '[appliance]\nworkers = 2\n' + _LOOPBACK, ("-l", "0"), "appliance.workers"),
    ("an unknown key", _LOOPBACK + 'queues = 2\n', (), "queues"),
    ("a log that cannot be opened", _LOOPBACK + '[log]\nsummary = "/nonexistent/summary.log"\n',
     (), "/nonexistent/summary.log"),
    ("a report directory that is not there",
     _LOOPBACK + '[report]\ndirectory = "/nonexistent"\n', (), "/nonexistent"),
)


def try_all(program, directory, checks):
    for what, config, eal, named in CASES:
        path = os.path.join(directory, "refused.toml")
        with open(path, "w") as f:
            f.write(config)
        command = [program, "run", "--config", path] + (["--", *eal] if eal else [])
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
        sentence = done.stderr.strip()
        checks.that(done.returncode == 1 and sentence.count("\n") == 0 and
                    sentence.startswith("wirelag: ") and named in sentence and done.stdout == "",
                    f"{what}: {sentence} (status {done.returncode})")
