#!/usr/bin/env python3
"""How the endpoint gets the relay to look: it wakes the one that listens, and
has one started where none does. The relay here is a script that records how
it was started, or a socket that counts datagrams.
"""

import fcntl
import json
import os
import resource
import signal
import socket
import sys
import time

import fastcgi
import harness
from fastcgi import Site, sample
from harness import Sandbox, contains, equal, main, test, wait_until

EVENT = sample("note_deletion")

# Each start adds a line to `starts`, and writes what it found. It ends when
# the file `run` is gone, so that a sandbox leaves nothing behind.
SCRIPT = """#!%s -I
import json, os, sys, time
folder = %r
fds = {fd: os.path.realpath("/proc/self/fd/" + fd)
       for fd in os.listdir("/proc/self/fd")
       if os.path.exists("/proc/self/fd/" + fd)}
with open("/proc/self/status") as f:
    status = dict(line.split(":\\t") for line in f if line.startswith("Sig"))
found = {
    "arguments": sys.argv[1:], "folder": os.getcwd(), "umask": os.umask(0),
    "environment": sorted(set(os.environ) - {"LC_CTYPE"}), "fds": fds,
    "leads": os.getsid(0) == os.getpid(),
    "blocked": int(status["SigBlk"], 16),
    # SIGPIPE and SIGXFSZ are ignored by Python itself; 32 and 33 are the C
    # library's own, out of every program's reach.
    "ignored": int(status["SigIgn"], 16) & ~(1 << 12 | 1 << 24 | 3 << 31),
}
with open(folder + "/found", "w") as f:
    json.dump(found, f)
with open(folder + "/starts", "a") as f:
    f.write("start\\n")
while os.path.exists(folder + "/run"):
    time.sleep(0.1)
"""


class RelaySite(Site):
    """A site whose relay is the recording script."""

    def __init__(self, box, **relay):
        self.program = box.write(
            "relay", SCRIPT % (sys.executable, box.path), 0o755)
        relay.setdefault("start", "on-demand")
        relay.setdefault("program", self.program)
        super().__init__(box, more="[relay]\n" + "".join(
            "%s = %s\n" % pair for pair in relay.items()))

    def starts(self):
        try:
            with open(self.box.join("starts")) as f:
                return len(f.readlines())
        except FileNotFoundError:
            return 0

    def found(self):
        with open(self.box.join("found")) as f:
            return json.load(f)

    def post(self):
        return self.ask(self.variables_of_event(), EVENT)

    def variables_of_event(self):
        return super().post(EVENT)


def check_how_it_was_started(site):
    nothing = os.path.realpath("/dev/null")
    equal(site.found(), {
        "arguments": ["-c", site.config_path, "relay", "--on-demand"],
        "folder": "/", "umask": 0o007, "environment": ["PATH"],
        "fds": {"0": nothing, "1": nothing, "2": nothing}, "leads": True,
        "blocked": 0, "ignored": 0}, "what the relay found")


@test
def a_relay_is_started_when_the_endpoint_starts():
    with Sandbox() as box:
        site = RelaySite(box)
        site.start()
        wait_until(lambda: site.starts() == 1, "the start of the relay")
        check_how_it_was_started(site)


@test
def starts_are_at_most_one_a_second_and_the_last_is_not_dropped():
    with Sandbox() as box:
        site = RelaySite(box)
        begin = time.monotonic()
        site.start()
        for _ in range(50):
            equal(site.post().status, 200, "status")
        wait_until(lambda: site.starts() >= 2, "the delayed start")
        took = time.monotonic() - begin
        assert site.starts() <= took + 1, "%d starts in %s s" % (
            site.starts(), took)
        assert took >= 1, "two starts in %s s" % took


@test
def a_relay_that_listens_is_woken_and_none_is_started():
    with Sandbox() as box:
        site = RelaySite(box)
        relay = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        relay.bind(os.path.join(site.spool, "relay.sock"))
        relay.settimeout(20)
        process = site.start()
        relay.recv(100)  # at the endpoint's start
        equal(site.post().status, 200, "status")
        relay.recv(100)
        for _ in range(30):  # more than the queue takes
            equal(site.post().status, 200, "status with a busy relay")
        equal(site.ask_cgi(site.variables_of_event(), EVENT).status, 200,
              "status over CGI")
        relay.close()
        process.stop()
        equal(site.starts(), 0, "starts")


@test
def a_socket_that_nobody_listens_on_has_a_relay_started():
    with Sandbox() as box:
        site = RelaySite(box)
        dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        dead.bind(os.path.join(site.spool, "relay.sock"))
        dead.close()
        site.start()
        wait_until(lambda: site.starts() == 1, "the start of the relay")


@test
def nothing_is_started_where_start_is_never():
    with Sandbox() as box:
        site = RelaySite(box, start="never")
        process = site.start()
        equal(site.post().status, 200, "status")
        equal(site.ask_cgi(site.variables_of_event(), EVENT).status, 200,
              "status over CGI")
        starters = fastcgi.children_of(process.pid)
        process.stop()
        wait_until(lambda: not any(map(fastcgi.is_running, starters)),
                   "the starter's end")
        equal(site.starts(), 0, "starts")


@test
def the_program_may_change_while_the_endpoint_runs():
    with Sandbox() as box:
        site = RelaySite(box, start="never")
        site.start()
        equal(site.post().status, 200, "status")
        site.configure(site.text(more="[relay]\nstart = on-demand\n"
                                 "program = %s\n" % site.program))
        wait_until(lambda: site.post().status == 200 and site.starts() > 0,
                   "the start of the relay")


@test
def a_program_that_is_not_there_is_logged():
    with Sandbox() as box:
        site = RelaySite(box, program="/nonexistent/hookspool")
        process = site.start()
        wait_until(lambda: "relay cannot be started" in process.output(),
                   "the log line")
        contains(process.output(), "/nonexistent/hookspool")
        contains(process.output(), "No such file")
        equal(site.post().status, 200, "status")
        answer = site.ask_cgi(site.variables_of_event(), EVENT)
        equal(answer.status, 200, "status over CGI")
        contains(answer.errors, "relay cannot be started")


@test
def the_starter_holds_nothing_and_ends_with_its_parent():
    for number in [signal.SIGTERM, signal.SIGKILL]:
        with Sandbox() as box:
            site = RelaySite(box)
            process = site.start()
            fastcgi.wait_idle(site)
            starters = fastcgi.children_of(process.pid)
            equal(len(starters), 1, "children")
            wait_until(lambda: set(os.listdir(
                "/proc/%d/fd" % starters[0])) == {"0", "1", "2", "3"},
                "three descriptors and the socket being all")
            os.kill(starters[0], signal.SIGTERM)  # as to a whole group
            equal(site.post().status, 200, "status")
            assert fastcgi.is_running(starters[0]), "it ended before us"
            process.stop(number)
            wait_until(lambda: not fastcgi.is_running(starters[0]),
                       "the starter's end")


@test
def an_endpoint_that_lost_its_starter_answers_what_it_has_and_ends_with_75():
    with Sandbox() as box:
        site = RelaySite(box)
        process = site.start()
        fastcgi.wait_idle(site)
        with site.connect() as connection:
            connection.send(
                fastcgi.begin(), fastcgi.stream(
                    fastcgi.PARAMS, fastcgi.pairs(site.variables_of_event())),
                fastcgi.record(fastcgi.STDIN, EVENT[:10]))
            # Accepted by now: the next one is answered by another thread.
            equal(site.ask(site.get()).status, 200, "status of a GET")
            os.kill(fastcgi.children_of(process.pid)[0], signal.SIGKILL)
            wait_until(lambda: "starter of the relay has ended" in
                       process.output(), "the log line")
            connection.send(fastcgi.stream(fastcgi.STDIN, EVENT[10:]))
            equal(connection.read_answer().status, 200, "status")
        equal(process.wait(), 75, "exit status")
        equal(process.output().count("has ended"), 1, "log lines")


@test
def a_program_that_was_missing_is_started_without_another_event():
    with Sandbox() as box:
        site = RelaySite(box, program=box.join("later"))
        process = site.start()
        wait_until(lambda: "relay cannot be started" in process.output(),
                   "the log line")
        os.rename(site.program, box.join("later"))
        wait_until(lambda: site.starts() == 1, "the start of the relay",
                   alive=[process])
        equal(process.output().count("cannot be started"), 1, "log lines")


@test
def a_start_that_failed_is_forgotten_where_start_becomes_never():
    with Sandbox() as box:
        site = RelaySite(box, program=box.join("later"))
        process = site.start()
        wait_until(lambda: "relay cannot be started" in process.output(),
                   "the log line")
        site.configure(site.text(more="[relay]\nstart = never\n").replace(
            fastcgi.TOKEN, "new-token"))
        new = site.get("challenge=1&verifyToken=new-token")
        wait_until(lambda: site.ask(new).status == 200, "the change")
        equal(site.post().status, 200, "status")
        os.rename(site.program, box.join("later"))
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            equal(site.starts(), 0, "starts")
            time.sleep(0.05)


@test
def a_lack_of_descriptors_keeps_no_relay_from_being_started():
    with Sandbox() as box:
        site = RelaySite(box)
        process = site.start()
        wait_until(lambda: site.starts() == 1, "the first start")
        with site.connect() as connection:
            equal(connection.ask(site.get(), keep=True).status, 200, "status")
            hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (4, hard))
            answer = connection.ask(site.variables_of_event(), EVENT)
            equal(answer.status, 200, "status")
        wait_until(lambda: site.starts() == 2, "the start of the relay")


@test
def a_start_that_was_delayed_is_made_at_the_end():
    with Sandbox() as box:
        site = RelaySite(box)
        process = site.start()
        wait_until(lambda: site.starts() == 1, "the first start")
        equal(site.post().status, 200, "status")
        process.stop(signal.SIGKILL)
        wait_until(lambda: site.starts() == 2, "the delayed start")


@test
def a_cgi_process_starts_the_relay_and_ends_at_once():
    with Sandbox() as box:
        site = RelaySite(box)
        box.write("run", "")  # the relay stays
        begin = time.monotonic()
        leaked = fcntl.fcntl(0, fcntl.F_DUPFD, 20)  # as some servers do
        answer = site.ask_cgi(site.variables_of_event(), EVENT,
                              pass_fds=[leaked])
        os.close(leaked)
        assert time.monotonic() - begin < 5, "it waited for the relay"
        equal(answer.status, 200, "status")
        wait_until(lambda: site.starts() == 1, "the start of the relay")
        check_how_it_was_started(site)
        equal(site.ask_cgi(site.get()).status, 200, "status of a GET")
        equal(site.starts(), 1, "starts")
        os.unlink(box.join("run"))
        wait_until(lambda: not box.strays(b"relay"), "the relay's end")


main(__name__)
