"""What every Python test stands on: TAP, a temporary folder, child processes
that are watched and ended by pid, free ports, polling with a bound.

A test file registers functions with @test and ends with main(__name__).
A test that fails prints what it got. Nothing here sleeps for luck: wait_until
polls a condition and watches that the processes it depends on live.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP_SRC = os.environ.get("top_srcdir") or os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))
TOP_BUILD = os.environ.get("top_builddir") or os.getcwd()
HOOKSPOOL = os.path.join(TOP_BUILD, "hookspool")
ENDPOINT = os.path.join(TOP_BUILD, "hookspool.fcgi")

_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; the reason is shown."""


def test(function):
    """Registers a test; its name is the sentence that TAP shows."""
    _tests.append(function)
    return function


def _run(number, function):
    name = function.__name__
    try:
        function()
    except Skip as reason:
        print("ok %d - %s # SKIP %s" % (number, name, reason), flush=True)
        return True
    except BaseException as error:
        print("not ok %d - %s" % (number, name), flush=True)
        for line in traceback.format_exc().splitlines():
            print("# " + line, flush=True)
        if isinstance(error, KeyboardInterrupt):
            raise
        return False
    print("ok %d - %s" % (number, name), flush=True)
    return True


def main(name):
    """Runs the registered tests, or those named as arguments."""
    if name != "__main__":
        return
    # A shell ignores it for what it starts in the background; the programs
    # under test are started as from a terminal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = [t for t in _tests
              if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    print("1..%d" % len(chosen), flush=True)
    results = [_run(i + 1, t) for i, t in enumerate(chosen)]
    sys.exit(0 if all(results) else 1)


def need(*programs):
    """Skips the test unless all the programs are installed."""
    for program in programs:
        if find_program(program) is None:
            raise Skip("%s is not installed" % program)


def find_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") +
                        ":/usr/sbin:/sbin:/usr/local/sbin")


def free_port():
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def equal(got, wanted, what="value"):
    assert got == wanted, "%s: got %r, wanted %r" % (what, got, wanted)


def contains(text, part, what="text"):
    assert part in text, "%s: %r not in %r" % (what, part, text)


class Child:
    """A process started by a test: its output goes to a file."""

    def __init__(self, sandbox, argv, name, **kwargs):
        self.name = name
        self.log_path = os.path.join(sandbox.path, name + ".log")
        self.log = open(self.log_path, "ab")
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", self.log)
        kwargs.setdefault("stderr", self.log)
        self.process = subprocess.Popen(argv, **kwargs)
        self.pid = self.process.pid

    def is_alive(self):
        return self.process.poll() is None

    def output(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def wait(self, timeout_s=20):
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s (pid %d) did not end within %d s:\n%s" %
                                 (self.name, self.pid, timeout_s,
                                  self.output()[-2000:]))

    def stop(self, number=signal.SIGTERM, timeout_s=20):
        """Ends it, with SIGKILL if it does not go; returns its status."""
        self.signal(number)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.log.close()

    def signal(self, number):
        if self.is_alive():
            self.process.send_signal(number)


class Sandbox:
    """A temporary folder and the processes that live in it; use with `with`.
    The folder can be entered by every user, since web servers change theirs.
    """

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="hookspool-test-")
        os.chmod(self.path, 0o755)
        self.children = []
        self.closers = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for closer in reversed(self.closers):
            closer()
        for child in reversed(self.children):
            if child.is_alive():
                child.stop(timeout_s=10)
            if kind is not None:
                tail = child.output()[-3000:]
                for line in tail.splitlines():
                    print("# %s: %s" % (child.name, line))
        self._end_strays()
        shutil.rmtree(self.path, ignore_errors=True)

    def _end_strays(self):
        """Ends what our processes started and left (an on-demand relay):
        found by the sandbox's own path on its command line."""
        for pid in self.strays():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def strays(self, part=b""):
        """Pids of processes whose command line names this sandbox, and
        `part`."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open("/proc/%s/cmdline" % entry, "rb") as f:
                    line = f.read()
            except OSError:
                continue
            if os.fsencode(self.path) in line and part in line:
                found.append(int(entry))
        return found

    def join(self, *parts):
        return os.path.join(self.path, *parts)

    def write(self, name, text, mode=0o644):
        path = self.join(name)
        data = text if isinstance(text, bytes) else text.encode()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def spawn(self, argv, name=None, **kwargs):
        child = Child(self, argv, name or os.path.basename(argv[0]), **kwargs)
        self.children.append(child)
        return child

    def defer(self, closer):
        """Calls `closer` when the sandbox ends, before processes are."""
        self.closers.append(closer)


def wait_until(condition, what, timeout_s=20, alive=()):
    """Polls until `condition` returns something true, and returns that."""
    end = time.monotonic() + timeout_s
    while True:
        got = condition()
        if got:
            return got
        for child in alive:
            assert child.is_alive(), "%s ended while waiting for %s:\n%s" % (
                child.name, what, child.output()[-3000:])
        assert time.monotonic() < end, "%s did not happen within %s s" % (
            what, timeout_s)
        time.sleep(0.01)


def run(argv, status=0, **kwargs):
    """Runs a command to its end; its output, if its status is as wanted
    (None: any)."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("timeout", 60)
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **kwargs)
    assert status is None or done.returncode == status, (
        "%s: status %d, wanted %r\nstdout: %s\nstderr: %s" % (
            " ".join(map(str, argv)), done.returncode, status,
            done.stdout.decode("utf-8", "backslashreplace")[-3000:],
            done.stderr.decode("utf-8", "backslashreplace")[-3000:]))
    return done
