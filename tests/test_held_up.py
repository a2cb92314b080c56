#!/usr/bin/env python3
"""What must hold nobody up: a log that is not read, in the endpoint and the
relay, bodies that never come, a spool that is locked or being opened.
"""

import array
import fcntl
import os
import select
import signal
import subprocess
import termios
import threading
import time

import fastcgi
import harness
import relay_site
from destination import Destination
from fastcgi import KEY, Site, sample
from harness import HOOKSPOOL, Sandbox, contains, equal, main, test, wait_until

EVENT = sample("note_deletion")
LOG_TO_STDERR = "[relay]\nstart = never\n[log]\nto = stderr\n"


class Pipe:
    """A pipe that is not read, full or empty; `write` is for a child."""

    def __init__(self, is_full):
        self.read, self.write = os.pipe()
        if is_full:
            os.set_blocking(self.write, False)
            try:
                while True:
                    os.write(self.write, b"x" * 1024)
            except BlockingIOError:
                os.set_blocking(self.write, True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        os.close(self.read)
        os.close(self.write)

    def text(self):
        """All that is in it."""
        os.set_blocking(self.read, False)
        got = b""
        try:
            while True:
                got += os.read(self.read, 65536)
        except BlockingIOError:
            return got.decode("ascii")


def post(site, body=EVENT):
    return site.ask(site.post(body), body)


# ---- a log that is not read

@test
def requests_are_answered_though_nobody_reads_the_log():
    with Sandbox() as box, Pipe(is_full=False) as pipe:
        site = Site(box, more=LOG_TO_STDERR)
        process = site.start(stderr=pipe.write)
        for i in range(1500):  # a pipe holds about 500 lines
            with site.connect(timeout_s=20) as connection:
                answer = connection.ask(site.post(EVENT), EVENT)
            assert answer is not None and answer.status == 200, (i, answer)
        lines = pipe.text().splitlines()
        assert 10 < len(lines) < 1500, "%d lines" % len(lines)
        equal(post(site).status, 200, "status")
        contains(pipe.text(), "log lines were dropped count=%d\n" %
                 (1500 - len(lines)), "the log")
        equal(process.stop(timeout_s=5), 0, "exit status")
        equal(len(site.bodies()), 1501, "events")


@test
def a_full_log_does_not_hold_up_the_stop():
    with Sandbox() as box, Pipe(is_full=True) as pipe:
        site = Site(box, more=LOG_TO_STDERR)
        process = site.start(stderr=pipe.write)
        equal(post(site).status, 200, "status")
        start = time.monotonic()
        equal(process.stop(), 0, "exit status")
        assert time.monotonic() - start < 5, "it took too long"


@test
def a_CGI_program_answers_though_nobody_reads_its_standard_error():
    with Sandbox() as box, Pipe(is_full=True) as pipe:
        site = Site(box)
        done = subprocess.run(
            [harness.ENDPOINT], input=EVENT, stdout=subprocess.PIPE,
            stderr=pipe.write, timeout=20,
            env=site.cgi_environment(site.post(EVENT)))
        contains(done.stdout, b"Status: 200", "answer")
        equal(done.returncode, 0, "exit status")


@test
def the_relay_delivers_and_ends_though_nobody_reads_its_log():
    with Destination() as to, relay_site.Site(
            relay_site.section("crm", to.url())) as site, \
            Pipe(is_full=True) as pipe:
        relay = site.spawn([HOOKSPOOL, "-c", site.conf, "relay"],
                           stderr=pipe.write)
        for _ in range(3):
            site.capture()
        to.wait_for(3)
        start = time.monotonic()
        equal(relay.stop(signal.SIGTERM), 0, "exit status")
        assert time.monotonic() - start < 5, "it took too long"


def unread(connection):
    """How many bytes wait to be read, and whether the other side has gone."""
    count = array.array("i", [0])
    fcntl.ioctl(connection.socket, termios.FIONREAD, count)
    poll = select.poll()
    poll.register(connection.socket, 0)
    return count[0], bool(poll.poll(0))


def request_until_closed(connection, request):
    """Sends one request after the other, and reads none of the answers."""
    has_gone, size = False, 0
    while not has_gone:
        connection.send(request)
        before = size
        size, has_gone = wait_until(
            lambda: next((u for u in [unread(connection)]
                          if u[1] or u[0] > before), None),
            "an answer or the end")
    assert size > 10000, "%d bytes" % size


@test
def a_web_server_that_reads_nothing_holds_a_thread_for_its_deadline_alone():
    with Sandbox() as box:
        site = Site(box, "body_timeout = 1s")
        process = site.start()
        request = (fastcgi.begin(keep=True) + fastcgi.stream(
            fastcgi.PARAMS, fastcgi.pairs(site.post(b"no"))) +
            fastcgi.stream(fastcgi.STDIN, b"no"))
        with site.connect() as stuck:
            request_until_closed(stuck, request)
        equal(post(site).status, 200, "status of another")
        equal(process.stop(timeout_s=5), 0, "exit status")


# ---- bodies that never come

def send_without_its_end(connection, variables):
    connection.send(fastcgi.begin(),
                    fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs(variables)),
                    fastcgi.record(fastcgi.STDIN, b"{"))


@test
def wrong_keys_whose_bodies_never_come_hold_up_no_event():
    with Sandbox() as box:
        site = Site(box, "path_key = " + KEY)
        process = site.start()
        wrong = site.post(b"x" * 1000, REQUEST_URI="/webhooks/" + "w" * 16)
        right = site.post(EVENT, REQUEST_URI="/webhooks/" + KEY)
        equal(site.ask(right, EVENT).status, 200, "status")
        stuck = [site.connect() for _ in range(24)]  # on 4 threads
        for connection in stuck:
            box.defer(connection.close)
            send_without_its_end(connection, wrong)
        start = time.monotonic()
        equal(site.ask(right, EVENT).status, 200, "status")
        took = time.monotonic() - start
        assert took < 1.5, "%.1f s" % took  # one alone lingers for 2 s
        for connection in stuck:
            equal(connection.read_answer().status, 404, "a wrong key's status")
        equal(process.stop(timeout_s=5), 0, "exit status")


# ---- a spool that is locked

class Lock:
    """Holds the spool's write lock."""

    def __init__(self, site):
        self.file = open(os.path.join(site.spool, "lock"), "rb+")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.release()

    def release(self):
        self.file.close()


class Asking(threading.Thread):
    """A request on its way; `answer` and `took` when it has ended."""

    def __init__(self, ask):
        super().__init__()
        self.ask = ask
        self.answer = None
        self.took = None
        self.start()

    def run(self):
        start = time.monotonic()
        self.answer = self.ask()
        self.took = time.monotonic() - start


def ended(askings):
    for asking in askings:
        asking.join(60)
        assert asking.answer is not None, "no answer"
    return askings


def seconds(ask, status):
    """How long a request takes that is answered so."""
    [asking] = ended([Asking(ask)])
    equal(asking.answer.status, status, "status")
    return asking.took


@test
def requests_wait_for_who_opens_the_spool_and_all_are_captured():
    with Sandbox() as box:
        site = Site(box)
        with Lock(site) as lock:
            process = site.start()
            fastcgi.wait_idle(site)  # the verification needs no spool
            askings = [Asking(lambda: post(site)) for _ in range(3)]
            time.sleep(1.2)  # all of them wait by then, none has an answer
            for asking in askings:
                equal(asking.answer, None, "answer while it is locked")
            assert seconds(lambda: site.ask(site.get()), 200) < 0.5
            lock.release()
            for asking in ended(askings):
                equal(asking.answer.status, 200, "status")
        equal(process.stop(), 0, "exit status")
        equal(len(site.bodies()), 3, "events")


@test
def a_request_waits_for_a_locked_spool_for_its_own_deadline_and_no_longer():
    with Sandbox() as box:
        site = Site(box, "capture_timeout = 2s")
        with Lock(site):
            process = site.start()
            fastcgi.wait_idle(site)
            for asking in ended([Asking(lambda: post(site))
                                 for _ in range(3)]):
                equal(asking.answer.status, 503, "status")
                assert 1.5 < asking.took < 4, "%.1f s" % asking.took
        equal(process.stop(), 0, "exit status")


@test
def a_CGI_program_has_one_deadline_for_opening_and_capture():
    with Sandbox() as box:
        site = Site(box, "capture_timeout = 1s")
        with Lock(site):
            took = seconds(lambda: site.ask_cgi(site.post(EVENT), EVENT), 503)
        assert 0.8 < took < 4, "%.1f s" % took


@test
def a_CGI_program_needs_no_spool_to_refuse_a_wrong_key_or_method():
    with Sandbox() as box:
        site = Site(box, "path_key = " + KEY)
        right = "/webhooks/" + KEY
        with Lock(site):
            for status, variables in (
                    (404, site.post(EVENT, REQUEST_URI="/webhooks/wrong")),
                    (405, site.variables("PUT", REQUEST_URI=right)),
                    (415, site.post(EVENT, REQUEST_URI=right,
                                    HTTP_CONTENT_ENCODING="gzip"))):
                took = seconds(lambda: site.ask_cgi(variables, EVENT), status)
                assert took < 2, "%d: %.1f s" % (status, took)


def traced(site, variables, body):
    """The lines of the files' opening and writing by a CGI process."""
    log = site.box.join("strace.log")
    env = site.cgi_environment(variables)
    # Leaks cannot be looked for in a process that is traced.
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-o", log,
         "-e", "trace=openat,pwrite64,write", harness.ENDPOINT],
        input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=env, timeout=60)
    if done.returncode != 0:
        raise harness.Skip("strace may not trace here: %r" % done.stderr)
    with open(log) as f:
        return f.read().splitlines()


@test
def a_CGI_program_opens_no_spool_for_a_wrong_key():
    harness.need("strace")
    with Sandbox() as box:
        site = Site(box, "path_key = " + KEY)
        lines = traced(site, site.post(EVENT, REQUEST_URI="/webhooks/wrong"),
                       EVENT)
        assert any("Status: 404" in line for line in lines), lines
        equal([line for line in lines if "spool.db" in line], [], "its files")


@test
def a_CGI_program_makes_its_checkpoint_after_its_answer():
    harness.need("strace")
    with Sandbox() as box:
        site = Site(box)
        for _ in range(3):
            lines = traced(site, site.post(EVENT), EVENT)
            [answer] = [i for i, line in enumerate(lines)
                        if "Status: 200" in line]
            # Pages of the database itself, and not of its log.
            moved = [i for i, line in enumerate(lines)
                     if "pwrite64" in line and "/spool.db>" in line]
            assert moved, "there is no checkpoint"
            assert answer < moved[0], lines[moved[0]]
        equal(os.path.getsize(os.path.join(site.spool, "spool.db-wal")), 0,
              "the log's size")
        equal(len(site.bodies()), 3, "events")


main(__name__)
