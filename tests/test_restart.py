"""A relay that is told to end, or to let a new program take its place."""

import os
import signal
import socket
import threading

from destination import Destination
from harness import HOOKSPOOL, contains, equal, main, run, test, wait_until
from relay_site import Site, body, ids, logged, section


def holder(site):
    """What relay.lock says of who holds it."""
    with open(site.join("spool", "relay.lock"), encoding="ascii") as f:
        return dict(line.split() for line in f)


def is_running(site):
    done = run([HOOKSPOOL, "-c", site.conf, "status", "--json"])
    return b'"relay_running":true' in done.stdout


def ask(site, *arguments, status=0):
    done = run([HOOKSPOOL, "-c", site.conf] + list(arguments), status=status)
    return (done.stdout + done.stderr).decode()


def gate():
    """An answer that waits, and what opens it."""
    event = threading.Event()

    def answer(_):
        event.wait(60)
        return "200"
    return answer, event.set


@test
def stop_ends_a_relay_that_was_started_on_demand():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand") as site:
        contains(ask(site, "stop"), "no relay runs")
        site.capture()
        to.wait_for(1)
        pid = int(holder(site)["pid"])
        equal(holder(site)["role"], "on-demand")
        said = ask(site, "stop")
        contains(said, "the relay (pid %d) has ended" % pid)
        contains(said, "hookspool pause")
        assert not is_running(site)
        contains(ask(site, "stop", "--json"), '{"relay":"not running"')
        site.capture()
        to.wait_for(2)
        assert int(holder(site)["pid"]) != pid
        contains(ask(site, "stop", "--json"), '"pid":')


@test
def what_stop_breaks_off_is_delivered_by_the_next_relay():
    answer, open_gate = gate()
    with Destination(answer) as to, Site(section("crm", to.url()),
                                         start="on-demand") as site:
        event = site.capture()
        to.wait_for(1)
        contains(ask(site, "stop"), "has ended")
        equal(site.settled(), [("pending", 0)], "pending, no attempt counted")
        open_gate()
        site.capture()
        wait_until(lambda: [s for s, _ in site.settled()] == ["delivered"] * 2,
                   "both delivered")
        equal(ids(to.requests).count(event), 2, "attempts of the first")
        ask(site, "stop")


@test
def stop_leaves_a_relay_in_the_foreground_to_who_runs_it():
    with Site() as site:
        relay = site.relay()
        said = ask(site, "stop", status=1)
        contains(said, "pid %d" % relay.pid)
        contains(said, "systemctl stop hookspool-relay")
        assert relay.is_alive()


@test
def a_relay_that_does_not_hear_is_named():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand") as site:
        site.capture()
        to.wait_for(1)
        pid = int(holder(site)["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            contains(ask(site, "stop", status=1), "kill -KILL %d" % pid)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not is_running(site), "its end")


def install(site, text):
    """Puts a program in the place of the relay's, as `make install` does."""
    path = site.write("hookspool.new", text, 0o755)
    os.rename(path, site.join("hookspool"))


NEW = """#!/bin/bash
echo "$*" >>%s
exec -a "$0" %s "$@"
"""


@test
def a_new_program_takes_over_and_no_event_is_lost():
    answer, open_gate = gate()
    with Destination(answer) as to, Site(section("crm", to.url())) as site:
        os.symlink(HOOKSPOOL, site.join("hookspool"))
        relay = site.spawn([site.join("hookspool"), "-c", site.conf, "relay"],
                           "relay")
        logged(relay, "relay started")
        first = site.capture()
        to.wait_for(1)
        install(site, NEW % (site.join("calls"), HOOKSPOOL))
        captured = [first]
        is_over = threading.Event()

        def capture():
            while not is_over.is_set():
                captured.append(site.capture(body("more")))
        thread = threading.Thread(target=capture)
        thread.start()
        said = ask(site, "reload", "--restart")
        contains(said, "the relay was restarted: pid %d, version 0.1.0" %
                 relay.pid)
        contains(relay.output(), "relay restarts")
        open_gate()
        for _ in range(2):
            contains(ask(site, "reload", "--restart", "--json"),
                     '{"relay":"restarted"')
        is_over.set()
        thread.join()
        with open(site.join("calls"), encoding="utf-8") as f:
            equal(f.read().splitlines(), ["-c %s relay" % site.conf] * 3)
        wait_until(lambda: set(captured) <= set(ids(to.requests)),
                   "all of them", alive=[relay])
        equal(relay.stop(), 0, "its status")


@test
def a_relay_on_demand_is_restarted_too():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand") as site:
        contains(ask(site, "reload", "--restart"), "was started")
        wait_until(lambda: is_running(site), "a relay")
        before = holder(site)
        said = ask(site, "reload", "--restart")
        after = holder(site)
        equal((after["pid"], after["role"]), (before["pid"], "on-demand"))
        assert after["started_at_ms"] > before["started_at_ms"]
        contains(said, "pid " + after["pid"])
        site.capture()
        to.wait_for(1)
        ask(site, "stop")


@test
def what_could_not_run_takes_no_relay_away():
    with Destination() as to, Site(section("crm", to.url())) as site:
        os.symlink(HOOKSPOOL, site.join("hookspool"))
        relay = site.spawn([site.join("hookspool"), "-c", site.conf, "relay"],
                           "relay")
        logged(relay, "relay started")
        os.unlink(site.join("hookspool"))
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.sendto(b"restart", site.join("spool", "relay.sock"))
        logged(relay, "the relay cannot be restarted reason=")
        os.symlink(HOOKSPOOL, site.join("hookspool"))
        with open(site.conf, "a", encoding="utf-8") as f:
            f.write("[nonsense]\n")
        contains(ask(site, "reload", "--restart", status=1), "nonsense")
        sender.sendto(b"restart", site.join("spool", "relay.sock"))
        logged(relay, "nonsense")
        site.configure(section("crm", to.url()))
        site.capture()
        to.wait_for(1)
        sender.sendto(b"stop", site.join("spool", "relay.sock"))
        equal(relay.wait(), 0, "its status")
        sender.close()


main(__name__)
