"""What the benchmarks share: processes, their CPU time and memory, wrk, rounds and their medians."""
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import statistics
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


def redis_command(port, folder, appendonly="no"):
    """A Redis without snapshots, on `port`, with its files in `folder`."""
    log = ["--appendonly", appendonly, "--appendfsync", "everysec"]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    return command + log


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


def all_cores():
    """For processes that run side by side, as they would."""
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))


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
        self._wait_until(lambda: fetch(port, path)[0] == 200, "did not answer within 10 s")

    def wait_until_listening(self, address):
        """`address`: a port on loopback, or a unix socket's path."""
        def connect():
            family = socket.AF_INET if isinstance(address, int) else socket.AF_UNIX
            with socket.socket(family, socket.SOCK_STREAM) as s:
                s.connect(("127.0.0.1", address) if isinstance(address, int) else str(address))
            return True

        self._wait_until(connect, "did not listen within 10 s")

    def _wait_until(self, condition, otherwise):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with {self.process.returncode}")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail(otherwise)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Processes:
    """Servers that do one job together: started in order, ended the other way round."""

    def __init__(self, name, core, folder):
        self.name, self._core, self._folder, self._all = name, core, folder, []

    def start(self, what, command):
        process = Process(f"{what} of {self.name}", self._core, command, self._folder / f"{what}.out")
        self._all.append(process)
        return process

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self._all)

    def check(self):
        for process in self._all:
            if process.process.poll() is not None:
                process.fail("ended during the run")

    def stop(self):
        for process in reversed(self._all):
            process.stop()


def measure(processes, load):
    """One run of `load`, which returns what wrk() does, and what the processes spent on it."""
    before = processes.cpu_seconds()
    result = load()
    used = processes.cpu_seconds() - before
    processes.check()
    return {"requests": result["requests"], "requests_per_second": result["requests"] / result["seconds"],
            "p50_ms": result["p50_us"] / 1000, "p99_ms": result["p99_us"] / 1000,
            "cpu_us_per_request": used * 1e6 / max(result["requests"], 1),
            "errors": result["errors"], "wrong": result["wrong"]}


def interleave(rounds, variants):
    """Each variant measures once in each round, so that a slow moment slows all of them; rows by name.

    `variants` have a name, and measure() that returns a row."""
    samples = {}
    for number in range(rounds):
        for variant in variants:
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1}/{rounds}: {variant.name}", end="", file=sys.stderr)
            samples.setdefault(variant.name, []).append(variant.measure())
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return samples


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(rows, others, key):
    """Taken inside a round, so that drift cancels."""
    return spread([row[key] / other[key] for row, other in zip(rows, others)])


def with_range(found, digits=2):
    """A spread in words; nothing for None."""
    return "{median:.{d}f} ({min:.{d}f}-{max:.{d}f})".format(**found, d=digits) if found else ""


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("Set-Cookie")
    finally:
        connection.close()
