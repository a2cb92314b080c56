"""What talks to the endpoint without a web server: a small FastCGI client
(records, kept connections, slow and broken ones), a CGI runner, and the folder
that the endpoint's tests share.
"""

import os
import socket
import sqlite3
import struct
import subprocess

import harness
from harness import equal

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
KEEP_CONN = 1
RESPONDER = 1

TOKEN = "tok-3f7a-verify"
KEY = "key-77d1c2-path"
MAKE_SPOOL = os.path.join(harness.TOP_BUILD, "make_spool")
SAMPLES = os.path.join(harness.TOP_SRC, "tests", "data")


def sample(name):
    """One of the sender's own payloads, byte for byte."""
    with open(os.path.join(SAMPLES, name + ".json"), "rb") as f:
        return f.read()


def record(kind, content=b"", request_id=1):
    assert len(content) <= 0xffff
    return struct.pack("!BBHHBB", 1, kind, request_id, len(content), 0,
                       0) + content


def stream(kind, content, request_id=1):
    """The records of a stream and its end."""
    out = b""
    for i in range(0, len(content), 60000):
        out += record(kind, content[i:i + 60000], request_id)
    return out + record(kind, b"", request_id)


def begin(keep=False, role=RESPONDER, request_id=1):
    return record(BEGIN, struct.pack("!HB5x", role, KEEP_CONN if keep else 0),
                  request_id)


def pairs(variables):
    """Name-value pairs as FastCGI writes them."""
    def size(n):
        return bytes([n]) if n < 128 else struct.pack("!I", n | 0x80000000)

    out = b""
    for name, value in variables.items():
        name, value = name.encode(), to_bytes(value)
        out += size(len(name)) + size(len(value)) + name + value
    return out


def to_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Answer:
    """What came back: status, headers (names in lower case), body, the lines
    of the error stream."""

    def __init__(self, raw, errors=b""):
        self.raw = raw
        self.errors = errors.decode("utf-8", "backslashreplace")
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.headers = {}
        for line in head.decode("ascii").split("\r\n"):
            if line:
                name, _, value = line.partition(":")
                assert name.lower() not in self.headers, "twice: " + line
                self.headers[name.lower()] = value.strip()
        self.status = int(self.headers.get("status", "0").split(" ")[0])

    def __repr__(self):
        return "<%d %r, log %r>" % (self.status, self.raw, self.errors)


class Connection:
    """A connection to a FastCGI process, as a web server has one."""

    def __init__(self, path, timeout_s=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def read_record(self):
        """(kind, content) of the next record; None at the end."""
        while True:
            if len(self.buffer) >= 8:
                _, kind, _, size, padding, _ = struct.unpack(
                    "!BBHHBB", self.buffer[:8])
                end = 8 + size + padding
                if len(self.buffer) >= end:
                    content = self.buffer[8:8 + size]
                    self.buffer = self.buffer[end:]
                    return kind, content
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                return None
            self.buffer += got

    def read_answer(self):
        """The answer to the request that was sent; None if the connection
        ended before it was whole."""
        out, errors = b"", b""
        while True:
            got = self.read_record()
            if got is None:
                return None
            if got[0] == STDOUT:
                out += got[1]
            elif got[0] == STDERR:
                errors += got[1]
            elif got[0] == END:
                return Answer(out, errors)

    def ask(self, variables, body=b"", keep=False):
        """Sends a whole request and reads its answer."""
        try:
            self.send(begin(keep), stream(PARAMS, pairs(variables)),
                      stream(STDIN, body))
        except BrokenPipeError:
            pass  # refused before the body was written; there is an answer
        return self.read_answer()

    def is_closed_by_peer(self):
        return self.read_record() is None


class Site:
    """A sandbox with a configuration, a spool, and what serves it."""

    def __init__(self, box, endpoint="", config=None, spool=True, more=""):
        self.box = box
        self.spool = box.join("spool")
        self.socket_path = box.join("fcgi.sock")
        self.config_path = box.join("hookspool.conf")
        self.processes = 0
        if spool:
            self.make_spool()
        self.configure(config or self.text(endpoint, more))

    def text(self, endpoint="", more=""):
        """The usual configuration, with more lines for [endpoint] and more
        sections."""
        return ("[endpoint]\nverify_token = %s\nthreads = 4\n%s\n"
                "[spool]\npath = %s\nmin_free = 0\n%s\n" %
                (TOKEN, endpoint, self.spool,
                 more or "[relay]\nstart = never\n"))

    def configure(self, text):
        """Replaces the configuration, as an editor does."""
        path = self.box.write("hookspool.conf.new", text, 0o640)
        os.rename(path, self.config_path)

    def make_spool(self):
        harness.run([MAKE_SPOOL, self.spool])

    # ---- FastCGI ----

    def start(self, argv=None, wrapper=(), preexec_fn=None, stderr=None,
              **env):
        """Starts a FastCGI process on a socket of this site; its standard
        error is a file, or the descriptor `stderr`."""
        self.processes += 1
        listener = self.listen()
        more = {} if stderr is None else {"stderr": stderr}
        child = self.box.spawn(
            list(wrapper) + (argv or [harness.ENDPOINT, "-c",
                                      self.config_path]),
            name="endpoint%d" % self.processes, stdin=listener,
            preexec_fn=preexec_fn, env=dict(self.environment(), **env), **more)
        listener.close()
        return child

    def listen(self):
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.socket_path)
        listener.listen(128)
        return listener

    def connect(self, timeout_s=60):
        return Connection(self.socket_path, timeout_s)

    def ask(self, variables, body=b""):
        with self.connect() as connection:
            answer = connection.ask(variables, body)
        assert answer is not None, "no answer to %r" % (variables,)
        return answer

    # ---- plain CGI ----

    def environment(self):
        """What sanitizers need is passed on."""
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        env.update((k, v) for k, v in os.environ.items()
                   if k.endswith("SAN_OPTIONS"))
        return env

    def cgi_environment(self, variables):
        env = self.environment()
        env.update((k, os.fsdecode(to_bytes(v)))
                   for k, v in variables.items())
        env.setdefault("GATEWAY_INTERFACE", "CGI/1.1")
        env.setdefault("HOOKSPOOL_CONF", self.config_path)
        return env

    def start_cgi(self, variables, arguments=(), **kwargs):
        """A CGI process that still waits for its body."""
        return subprocess.Popen(
            [harness.ENDPOINT] + list(arguments), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.cgi_environment(variables), **kwargs)

    def ask_cgi(self, variables, body=b"", arguments=(), **kwargs):
        process = self.start_cgi(variables, arguments, **kwargs)
        out, errors = process.communicate(body, timeout=60)
        equal(process.returncode, 0, "exit status of the CGI process, which "
              "said %r" % errors)
        return Answer(out, errors)

    def ask_cgi_stalled(self, variables, body):
        """A body whose end does not come."""
        process = self.start_cgi(variables)
        process.stdin.write(body)
        process.stdin.flush()
        out = process.stdout.read()  # to its end, while stdin is open
        equal(process.wait(60), 0, "exit status of the CGI process")
        errors = process.stderr.read()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        return Answer(out, errors)

    # ---- requests ----

    def get(self, query="challenge=2135675231&verifyToken=" + TOKEN,
            method="GET", **more):
        return self.variables(method, QUERY_STRING=query, **more)

    def post(self, body, **more):
        more.setdefault("CONTENT_LENGTH", len(body))
        more.setdefault("CONTENT_TYPE", "application/json")
        return self.variables("POST", **more)

    def variables(self, method, **more):
        """The variables of a request; None leaves one out."""
        got = {"REQUEST_METHOD": method, "REQUEST_URI": "/webhooks",
               "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.7",
               "SERVER_PROTOCOL": "HTTP/1.1"}
        got.update(more)
        if got["QUERY_STRING"] and "REQUEST_URI" not in more:
            got["REQUEST_URI"] += "?" + got["QUERY_STRING"]
        return {k: v for k, v in got.items() if v is not None}

    # ---- what is in the spool ----

    def rows(self, query):
        """Reads the spool as anybody may: read-only."""
        db = sqlite3.connect("file:%s/spool.db?mode=ro" % self.spool,
                             uri=True, timeout=20)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def bodies(self):
        """The bodies of all events, in capture order."""
        return [to_bytes(row[0]) for row in
                self.rows("SELECT body FROM event ORDER BY seq")]

    def refused(self):
        """(status, body) of all refused bodies, in order."""
        return [(row[0], to_bytes(row[1])) for row in
                self.rows("SELECT status, body FROM refusals ORDER BY seq")]


def memory_kib(pid, field="VmRSS"):
    """What the process has in memory now; VmHWM: has ever had."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError("no %s of %d" % (field, pid))


def children_of(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def state_of(pid):
    """The letter that ps shows; X where there is no such process."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def is_running(pid):
    """Whether it is there, and no zombie."""
    return state_of(pid) not in "ZX"


def wait_idle(site):
    """Waits until the FastCGI process answers."""
    harness.wait_until(lambda: os.path.exists(site.socket_path), "the socket")
    return site.ask(site.get())

