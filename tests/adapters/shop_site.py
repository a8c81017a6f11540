"""The gateway with an example application behind it, and clients, for one test."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.parse

START_SECONDS = 30
CONFIG = """
[gateway]
key_file = "{folder}/keys"
debug_headers = true
[admin]
address = "127.0.0.1:0"
[[listen]]
address = "127.0.0.1:0"
[store]
kind = "memory"
[session.shop]
placement = "{placement}"
{more}
[service.shop]
command = {command}
count = 2
socket = true
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", fall = 5, rise = 1 }}
[[route]]
path = "/"
service = "shop"
session = "shop"
"""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Browser:
    """One client with its cookies, at an address."""

    def __init__(self, address):
        self.address = address
        self.cookies = {}

    def ask(self, method, path, value=..., form=None):
        """`value` goes as JSON, `form` as a form."""
        headers, body = {}, None
        if value is not ...:
            headers["Content-Type"], body = "application/json", json.dumps(value).encode()
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form).encode()
        return self._send_head(method, path, headers, body).end()

    def begin(self, method, path, value):
        """Sends the head alone; end() of what it gives sends `value`, as JSON, and gives the answer."""
        return self._send_head(method, path, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _send_head(self, method, path, headers, body):
        if body is not None:
            headers["Content-Length"] = str(len(body))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        host, _, port = self.address.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return Begun(self, connection, body)

    def take_cookies(self, headers):
        for line in headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower() or "1970" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, value=..., form=None):
        return self.ask("POST", path, value, form)

    def copy(self):
        other = Browser(self.address)
        other.cookies = dict(self.cookies)
        return other


class Begun:
    """A request whose head was sent."""

    def __init__(self, browser, connection, body):
        self.browser, self.connection, self.body = browser, connection, body

    def end(self):
        try:
            if self.body is not None:
                self.connection.send(self.body)
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            self.connection.close()
        self.browser.take_cookies(response.headers)
        return answer


class Program:
    """A process that was started here, with its log."""

    def __init__(self, command, log, environment):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env={**os.environ, **environment})

    def lines(self):
        return pathlib.Path(self.log).read_text(errors="replace").splitlines()

    def wait_until(self, what, condition):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                why = f"ended with {self.process.returncode}" if ended else "took too long"
                raise AssertionError(f"{what}: {why}\n" + "\n".join(self.lines()[-30:]))
            time.sleep(0.02)  # polls a condition; the deadline is above

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class Site:
    """A gateway. `command`: of the application's instances."""

    def __init__(self, binary, command, placement, environment, more=""):
        self.command, self.more = command, more
        self.folder = tempfile.TemporaryDirectory(prefix="stateway-")
        self.path = pathlib.Path(self.folder.name)
        self.write(placement)
        command = [binary, "run", "-c", str(self.path / "stateway.toml")]
        self.gateway = Program(command, self.path / "log", environment)
        self.addresses = {}
        self.gateway.wait_until("the gateway's start", self._listening)
        self.gateway.wait_until("the instances' start", lambda: self.admin("GET", "/readyz").status == 200)

    def write(self, placement):
        text = CONFIG.format(folder=self.path, placement=placement, command=json.dumps(self.command),
                             more=self.more)
        (self.path / "stateway.toml").write_text(text)

    def _listening(self):
        for line in self.gateway.lines():
            if '"msg":"listening"' in line:
                said = json.loads(line)
                whose = "admin" if said.get("for") == "admin" else "clients"
                self.addresses.setdefault(whose, said["address"])
        return len(self.addresses) == 2

    def admin(self, method, path):
        return Browser(self.addresses["admin"]).ask(method, path, *([{}] if method == "POST" else []))

    def browser(self):
        return Browser(self.addresses["clients"])

    def active(self):
        """Requests that are at an instance."""
        services = self.admin("GET", "/v1/services").json()["services"]
        return sum(instance["active"] for service in services for instance in service["instances"])

    def switch(self, placement):
        """Reloads with another placement."""
        self.write(placement)
        answer = self.admin("POST", "/v1/reload")
        assert answer.status == 200, answer.body

    def stop(self):
        status = self.gateway.stop()
        self.folder.cleanup()
        assert status == 0, f"the gateway ended with {status}"
