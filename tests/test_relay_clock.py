#!/usr/bin/env python3
"""The wall clock is set while the relay runs, and while none does: nothing
waits longer or less long for it, nothing dies or is erased for it. The relay
alone sees the other time, by a library that is preloaded.
"""

import os
import struct
import time

from destination import Destination
from harness import (TOP_SRC, Skip, contains, equal, find_program, main, run,
                     test, wait_until)
from relay_site import Site, body, ids, logged, section

HOUR_S = 3600


class Clock:
    """The wall clock of the relays that are started with its environment."""

    def __init__(self, site):
        compiler = find_program("cc")
        if compiler is None:
            raise Skip("there is no cc to make a library with")
        self.file = site.join("clock")
        library = site.join("set_clock.so")
        run([compiler, "-shared", "-fPIC", "-o", library,
             os.path.join(TOP_SRC, "tests", "set_clock.c")])
        with open(self.file, "wb") as f:
            f.write(struct.pack("=q", 0))
        self.environment = {"LD_PRELOAD": library, "SET_CLOCK_FILE": self.file}

    def set_by(self, seconds):
        with open(self.file, "rb+") as f:
            f.write(struct.pack("=q", seconds))


def wait_for_attempts(to, event, count, timeout_s):
    wait_until(lambda: ids(to.got()).count(event) >= count,
               "attempt %d" % count, timeout_s=timeout_s)


def a_set_clock_neither_hurries_nor_holds_up(by_s, word):
    with Destination("500", "503 Retry-After: 6", "200") as to, \
            Destination() as other, \
            Site(section("crm", to.url(), "concurrency = 1", "events = x"),
                 section("other", other.url(), "events = y")) as site:
        clock = Clock(site)
        event = site.capture()
        relay = site.relay(environment=clock.environment)
        logged(relay, "first attempt failed")
        clock.set_by(by_s)
        site.capture(body("y"))  # wakes the relay
        logged(relay, "the clock was set " + word)
        contains(relay.output(), "by_s=3600")
        second = to.wait_for(2, timeout_s=12)[1]  # after 5 s at most
        logged(relay, "asked to wait")
        clock.set_by(0)
        third = to.wait_for(3, timeout_s=12)[2]
        waited = third.at - second.at
        assert 5.9 < waited < 10, "%.1f s of a hold of 6" % waited
        equal(ids(to.got()), [event] * 3)
        clock.set_by(by_s)
        fresh = site.capture()
        started = time.monotonic()
        to.wait_for(4)
        equal(to.got()[3].id, fresh)
        assert to.got()[3].at - started < 3, "a new event had to wait"


@test
def a_clock_that_is_set_back_holds_nothing_up():
    a_set_clock_neither_hurries_nor_holds_up(-HOUR_S, "back")


@test
def a_clock_that_is_set_forward_hurries_nothing():
    a_set_clock_neither_hurries_nor_holds_up(HOUR_S, "forward")


@test
def a_clock_set_forward_by_days_erases_and_kills_nothing():
    with Destination("200", "500") as to, Site(
            section("crm", to.url(), "retry_for = 1h")) as site:
        clock = Clock(site)
        with open(site.conf) as f:
            text = f.read()
        site.write("hookspool.conf",
                   text.replace("min_free = 0", "min_free = 0\nretain = 1d"),
                   0o600)
        site.capture()
        relay = site.relay(environment=clock.environment)
        logged(relay, "delivered")
        pending = site.capture()
        wait_for_attempts(to, pending, 1, 5)
        wait_until(lambda: ("pending", 1) in site.settled(), "its record")
        relay.stop()
        site.query("UPDATE deliveries SET attempts = 20, next_at_ms = 1 "
                   "WHERE state = 0")
        clock.set_by(40 * 24 * HOUR_S)
        relay = site.relay(environment=clock.environment)
        logged(relay, "the clock was set forward")
        wait_for_attempts(to, pending, 2, 10)
        wait_until(lambda: ("pending", 21) in site.settled(), "its record")
        # Retention has had its turn once the relay waits, as after a wake-up.
        site.capture()
        wait_until(lambda: len(site.settled()) == 3, "one more delivery")
        equal(site.query("SELECT count(*) FROM events"), [(3,)])
        assert "erased" not in relay.output(), relay.output()
        assert "dead" not in relay.output(), relay.output()


main(__name__)
