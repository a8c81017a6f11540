"""What the benchmarks share: processes with a core of their own, their CPU time and memory, and wrk."""
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import string
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TICKS = os.sysconf("SC_CLK_TCK")


def prepare():
    """For main: finds programs in sbin, takes all descriptors there are, ends cleanly on SIGTERM."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def fill_template(name, into, **values):
    """bench/config/NAME with $VALUES put in, written to the file `into`."""
    into.write_text(string.Template((HERE / "config" / name).read_text()).substitute(values))
    return into


def wrk(core, port, path, connections, seconds, kind):
    """Load by bench/load.lua from one thread; its RESULT."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", str(HERE / "load.lua"), f"http://127.0.0.1:{port}{path}", "--", *map(str, kind)]
    done = subprocess.run(pinned(core, command), capture_output=True, text=True, timeout=seconds + 60)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[len("RESULT "):])
    sys.exit(f"bench: wrk gave no result: {done.stderr or done.stdout}")


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def cpu_name():
    lines = open("/proc/cpuinfo")
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")


def pick_cores():
    """(proxy, load, origin): cores that do not share a physical core where there are enough of them."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        sys.exit("bench: needs two CPU cores, one for the proxy and one for load and origin.")
    chosen, used = [], set()
    for cpu in allowed:
        try:
            topology = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
            siblings = (topology / "thread_siblings_list").read_text()
        except OSError:
            siblings = str(cpu)
        if siblings not in used:
            used.add(siblings)
            chosen.append(cpu)
    if len(chosen) < 2:
        chosen = allowed
    return chosen[0], chosen[1], chosen[2] if len(chosen) > 2 else chosen[1]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pinned(core, command):
    # Dies with this script, also when that is killed.
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(core), *command]


class Process:
    """A server that was started here and is ended here."""

    def __init__(self, name, core, command, log):
        self.name = name
        with open(log, "wb") as out:
            self.process = subprocess.Popen(pinned(core, command), stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT)
        self.log = log

    def cpu_seconds(self):
        """User and system time so far: all threads, ended ones too, and descendants."""
        parents, ticks = {}, {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = sum(int(f) for f in fields[11:15])  # utime stime cutime cstime
        total = 0
        for pid in ticks:
            ancestor = pid
            while ancestor in parents and ancestor != self.process.pid:
                ancestor = parents[ancestor]
            if ancestor == self.process.pid:
                total += ticks[pid]
        return total / TICKS

    def rss_kib(self):
        """Resident memory now."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def fail(self, why):
        tail = pathlib.Path(self.log).read_text(errors="replace").splitlines()[-20:]
        sys.exit(f"bench: {self.name} {why}. Its last lines ({self.log}):\n" + "\n".join(tail))

    def wait_until_serving(self, port, path):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with {self.process.returncode}")
            try:
                if fetch(port, path)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail("did not answer within 10 s")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("Set-Cookie")
    finally:
        connection.close()
