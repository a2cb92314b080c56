"""A spool, its configuration and the relays that run on it: for the tests that
look at a relay from outside. Events are captured by the endpoint, run as a
CGI program.
"""

import fcntl
import json
import os
import pwd
import resource
import signal
import sqlite3

from harness import ENDPOINT, HOOKSPOOL, Sandbox, contains, run, wait_until

# Bytes that any re-writing of the JSON would change.
BODY = ('{ "EventType":"ticket_status_change",\r\n\t"Events": [{"a": 1.0e+0,'
        '"a":"\\u00e9\\/ \u00e9"} ],"CommunityName" :"Example" }\n').encode()


def body(kind="x", community="Example", **more):
    return json.dumps({"EventType": kind, "CommunityName": community,
                       "Events": [], **more}).encode()


def section(name, url, *lines):
    """A destination that may be on loopback."""
    return "\n".join(["[destination %s]" % name, "url = %s" % url,
                      "allow_private = yes"] + list(lines)) + "\n"


class Site(Sandbox):
    """A spool, its configuration, and what runs on it."""

    def __init__(self, *sections, start="never", idle_exit="60s"):
        super().__init__()
        self.spool = self.join("spool")
        self.start = start
        self.idle_exit = idle_exit
        self.conf = self.configure(*sections)
        user = pwd.getpwuid(os.getuid()).pw_name
        run([HOOKSPOOL, "-c", self.conf, "init", "--user", user])
        self.relays = []  # those that were started

    def __exit__(self, kind, value, trace):
        statuses = [relay.stop() for relay in self.relays]
        super().__exit__(kind, value, trace)
        if kind is None:  # a sanitizer speaks by the exit status
            wrong = [s for s in statuses if s not in (0, -signal.SIGKILL)]
            assert not wrong, "a relay ended with %r" % wrong

    def configure(self, *sections):
        return self.write("hookspool.conf", "\n".join(
            ["[endpoint]", "verify_token = t",
             "[spool]", "path = " + self.spool, "min_free = 0",
             "[relay]", "start = " + self.start,
             "idle_exit = " + self.idle_exit,
             "program = " + HOOKSPOOL, ""] + list(sections)), 0o600)

    def capture(self, data=None, content_type="application/json"):
        """Posts to the endpoint; the id of the event."""
        data = body() if data is None else data
        environment = {
            "HOOKSPOOL_CONF": self.conf, "GATEWAY_INTERFACE": "CGI/1.1",
            "REQUEST_METHOD": "POST", "REQUEST_URI": "/webhooks",
            "QUERY_STRING": "", "CONTENT_LENGTH": str(len(data)),
            "PATH": os.environ.get("PATH", "")}
        if content_type is not None:
            environment["CONTENT_TYPE"] = content_type
        done = run([ENDPOINT], env=environment, input=data, stdin=None)
        head, answer = done.stdout.split(b"\r\n\r\n", 1)
        contains(head, b"Status: 200", "the endpoint's answer")
        return json.loads(answer)["id"]

    def relay(self, *arguments, wrapper=(), environment=None, listens=True,
              limits=None):
        """Starts a relay; returns when it listens. `limits` are those of
        descriptors, soft and hard."""
        child = self.spawn(
            list(wrapper) + [HOOKSPOOL, "-c", self.conf, "relay"] +
            list(arguments), "relay%d" % len(self.relays),
            env=dict(os.environ, **(environment or {})),
            preexec_fn=limits and (lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, limits)))
        self.relays.append(child)
        if listens:
            wait_until(lambda: "relay started" in child.output(),
                       "the relay's start", timeout_s=60, alive=[child])
        return child

    def query(self, sql):
        """Rows of the spool, by SQL, while nothing changes it."""
        database = sqlite3.connect(self.join("spool", "spool.db"))
        try:
            rows = database.execute(sql).fetchall()
            database.commit()
            return rows
        finally:
            database.close()

    def change(self, sql):
        """Changes the spool by SQL while a relay runs, under its lock."""
        with open(self.join("spool", "lock"), "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.query(sql)

    def command(self, *arguments):
        run([HOOKSPOOL, "-c", self.conf] + list(arguments))

    def settled(self):
        """Rows (state, attempts) of all deliveries."""
        return self.query("SELECT state, attempts FROM delivery")


def logged(child, text, timeout_s=20):
    wait_until(lambda: text in child.output(), "log line \"%s\"" % text,
               timeout_s, alive=[child])


def ids(requests):
    return [request.id for request in requests]


def stat(pid):
    """The fields of /proc/PID/stat from the state on."""
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()
