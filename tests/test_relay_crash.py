#!/usr/bin/env python3
"""A relay that is killed, told to stop, or robbed of its spool: nothing is
lost, and nothing counts that was broken off.
"""

import fcntl
import os
import shutil
import signal
import socket
import time

from destination import Destination
from harness import (HOOKSPOOL, contains, equal, main, run, test,
                     wait_until)
from relay_site import Site, body, ids, logged, section, stat


@test
def a_relay_killed_before_it_records_delivers_again_with_the_same_id():
    with Site() as site:
        def stop_the_relay(_):
            # It cannot take notice of the answer any more.
            site.relays[0].signal(signal.SIGSTOP)
            return "200"

        with Destination("200", stop_the_relay, "200") as to:
            site.configure(section("crm", to.url(), "concurrency = 1"))
            events = [site.capture(body(text=str(i))) for i in range(4)]
            relay = site.relay()
            to.wait_for(2)
            wait_until(lambda: stat(relay.pid)[0] == "T", "the relay's stop")
            relay.stop(signal.SIGKILL)
            equal(ids(to.got()), events[:2])
            site.relay()
            got = to.wait_for(5)
            equal(ids(got), [events[i] for i in (0, 1, 1, 2, 3)])
            equal(got[1].body, got[2].body)
            equal([r.attempt for r in got], [1] * 5)


@test
def sigterm_breaks_off_an_attempt_that_does_not_count():
    with Destination("hang", "200") as to, Site(
            section("crm", to.url(), "timeout = 60s")) as site:
        event = site.capture()
        relay = site.relay()
        to.wait_for(1)
        started = time.monotonic()
        relay.signal(signal.SIGTERM)
        equal(relay.wait(30), 0, "status")
        took = time.monotonic() - started
        assert took < 5, "%.1f s" % took
        equal(site.settled(), [("pending", 0)])
        site.relay()
        equal([(r.id, r.attempt) for r in to.wait_for(2)], [(event, 1)] * 2)


class Deaf:
    """A destination that takes a connection and does not read from it."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.listener.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def url(self):
        return "http://127.0.0.1:%d/" % self.listener.getsockname()[1]

    def accept(self):
        return self.listener.accept()[0]


def count_bytes(connection):
    """What still comes, until the other side has broken it off."""
    connection.settimeout(20)
    count = 0
    try:
        while True:
            got = connection.recv(65536)
            if not got:
                return count
            count += len(got)
    except ConnectionResetError:
        return count


def erased(site, status):
    """Erases all there is; what it says, and how long that took."""
    started = time.monotonic()
    done = run([HOOKSPOOL, "-c", site.conf, "erase", "--before", "0s"], status)
    return done, time.monotonic() - started


@test
def erase_breaks_off_what_is_under_way():
    with Deaf() as to, Destination("hang") as other, Site(
            section("crm", to.url(), "timeout = 300s", "events = big"),
            section("bi", other.url(), "timeout = 300s",
                    "events = small")) as site:
        size = 1000000
        site.capture(body("big", text="x" * (size - 100)))
        site.capture(body("small"))
        relay = site.relay()
        with to.accept() as connection:
            other.wait_for(1)
            done, took = erased(site, 0)
            assert took < 15, "%.1f s" % took
            contains(done.stdout.decode(), "       2  events")
            got = count_bytes(connection)
            assert got < size, "all of the body went out: %d bytes" % got
        equal(site.settled(), [])
        logged(relay, "outcome=abandoned")


@test
def erase_says_what_may_still_be_under_way():
    with Deaf() as to, Site(
            section("crm", to.url(), "timeout = 300s")) as site:
        site.capture()
        relay = site.relay()
        with to.accept():
            relay.signal(signal.SIGSTOP)
            done, took = erased(site, 1)
            relay.signal(signal.SIGCONT)
            assert took < 30, "%.1f s" % took
            contains(done.stderr.decode(), "may still send erased events")
            contains(done.stderr.decode(), "pid %d" % relay.pid)
        relay.stop(signal.SIGKILL)
        site.capture()
        erased(site, 0)  # no relay: nothing is under way


@test
def a_relay_whose_spool_was_replaced_ends_to_be_started_again():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        site.capture()
        logged(relay, "delivered")
        database = site.join("spool", "spool.db")
        shutil.copy(database, database + ".new")
        os.rename(database + ".new", database)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", site.join("spool", "relay.sock"))
        equal(relay.wait(), 75, "status")
        contains(relay.output(), "replaced")
        site.relays.remove(relay)


@test
def an_outcome_that_cannot_be_recorded_is_kept_and_not_repeated():
    with Site() as site:
        lock = open(site.join("spool", "lock"), "rb+")

        def hold_the_lock(_):
            fcntl.flock(lock, fcntl.LOCK_EX)
            return "200"

        with Destination(hold_the_lock, "200") as to:
            site.configure(section("crm", to.url()))
            site.capture()
            relay = site.relay()
            to.wait_for(1)
            logged(relay, "the spool cannot be used now", 60)
            fcntl.flock(lock, fcntl.LOCK_UN)
            logged(relay, "delivered")
            relay.stop()
            equal(len(to.got()), 1, "requests")
            equal(site.settled(), [("delivered", 1)])


main(__name__)
