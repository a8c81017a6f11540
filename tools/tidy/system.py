"""Networking and processes are src/io's."""
import re

from tree import Rule

HEADERS = re.compile(r"(sys/(socket|epoll|un|wait|eventfd|timerfd|signalfd|uio|poll|ioctl|sendfile)|"
                     r"netinet/\w+|netdb|poll|spawn|ifaddrs|net/\w+)\.h")
# The lab starts and kills gateways from outside, as an operator would.
OUTSIDE = ("src/io/", "src/lab/program.cc", "src/lab/gateway_process.cc", "examples/", "tests/", "bench/")


def check(tree):
    for s in tree.cpp():
        if s.is_test or s.path.startswith(OUTSIDE):
            continue
        for number, name, quoted in s.includes():
            if not quoted and HEADERS.fullmatch(name):
                yield s.path, number, f"<{name}>: sockets and processes are reached through src/io alone"


RULES = [
    Rule("system-call", check,
         breaks=[{"src/a/a.cc": "#include <sys/socket.h>\n"}, {"src/a/a.cc": "#include <poll.h>\n"}],
         keeps=[{"src/io/a.cc": "#include <sys/socket.h>\n"}, {"src/a/a.cc": "#include <sys/stat.h>\n"},
                {"src/a/a_test.cc": "#include <poll.h>\n"}]),
]
