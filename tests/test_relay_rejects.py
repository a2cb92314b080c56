#!/usr/bin/env python3
"""What one delivery fails for, the others do not pay for: events that a
destination never takes keep none waiting that it would take, and are not
tried more often for the others' success.
"""

import time

from destination import Destination
from harness import equal, main, test, wait_until
from relay_site import Site, body, ids, logged, section

BAD = body(text="poison")


def rejecting(answer, *first):
    """Answers `first` to the first requests, later `answer` to poison."""
    steps = list(first)

    def step(request):
        if steps:
            return steps.pop(0)
        return answer if b"poison" in request.body else "200"
    return step


def wait_for_good(to, good, timeout_s, alive):
    """The seconds until all of them have arrived. A first probe may come
    before the event that it would try; four take up to 75 s."""
    started = time.monotonic()
    wait_until(lambda: good <= set(ids(to.got())), "the good events",
               timeout_s=timeout_s, alive=[alive])
    return time.monotonic() - started


def attempts_of_first(site, count):
    return [row[0] for row in site.query(
        "SELECT attempts FROM deliveries WHERE seq <= %d" % count)]


@test
def what_is_rejected_with_422_keeps_nothing_waiting():
    with Destination(rejecting("422")) as to, Site(
            section("crm", to.url())) as site:
        for _ in range(30):
            site.capture(BAD)
        good = {site.capture() for _ in range(20)}
        relay = site.relay()
        took = wait_for_good(to, good, 10, relay)
        assert took < 5, "%.1f s" % took
        assert "is down" not in relay.output(), relay.output()


@test
def what_is_answered_500_keeps_the_others_waiting_for_a_minute_at_most():
    with Destination(rejecting("500")) as to, Site(
            section("crm", to.url())) as site:
        for _ in range(30):
            site.capture(BAD)
        good = {site.capture() for _ in range(20)}
        relay = site.relay()
        took = wait_for_good(to, good, 90, relay)
        attempts = attempts_of_first(site, 30)
        print("# all good ones after %.1f s; attempts of the others: %d to %d"
              % (took, min(attempts), max(attempts)))
        # Gaps of up to 5, 10, 20 s and so on: nine fit into 90 s once in a
        # million times.
        assert max(attempts) < 10, attempts


@test
def no_success_makes_rejected_ones_come_more_often():
    with Destination(rejecting("500")) as to, Site(
            section("crm", to.url())) as site:
        relay = site.relay()
        for i in range(10):
            for _ in range(5):
                site.capture(BAD)
            wait_until(lambda: relay.output().count("is down") == i + 1,
                       "down %d" % (i + 1), alive=[relay])
            wait_for_good(to, {site.capture()}, 90, relay)
        first = attempts_of_first(site, 5)
        print("# attempts of the first five: %r" % first)
        # Their own times, and the one success after their first failure.
        assert max(first) < 9, first


@test
def a_time_that_the_destination_asked_for_outlasts_the_others_success():
    with Destination(rejecting("500", "500 Retry-After: 3600")) as to, Site(
            section("crm", to.url(), "concurrency = 1")) as site:
        patient = site.capture()
        for _ in range(4):
            site.capture(BAD)
        relay = site.relay()
        logged(relay, "destination is down")
        good = site.capture()
        wait_for_good(to, {good}, 90, relay)
        logged(relay, "destination is back")
        # Those that came forward with that success were tried.
        wait_until(lambda: min(row[0] for row in site.query(
            "SELECT attempts FROM deliveries WHERE state = 0 AND seq > 1"))
            >= 2, "the second attempts", alive=[relay])
        equal(ids(to.got()).count(patient), 1, "attempts")
        site.command("reload")
        logged(relay, "configuration loaded again")
        wait_until(lambda: min(row[0] for row in site.query(
            "SELECT attempts FROM deliveries WHERE state = 0 AND seq > 1"))
            >= 3, "the third attempts", alive=[relay])
        equal(ids(to.got()).count(patient), 1, "attempts after a reload")


@test
def a_probe_comes_at_its_time_whatever_its_delivery_waits_for():
    with Destination("500", "500", "500", "500", "500", "200") as to, \
            Destination() as other, \
            Site(section("crm", to.url(), "events = x"),
                 section("other", other.url(), "events = y")) as site:
        events = [site.capture() for _ in range(5)]
        relay = site.relay()
        logged(relay, "destination is down")
        wait_until(lambda: site.query("SELECT count(*) FROM deliveries "
                                      "WHERE attempts = 1")[0][0] == 5,
                   "their record", alive=[relay])
        if len(to.got()) == 5:  # or a probe came already
            site.change("UPDATE deliveries SET next_at_ms = "
                        "next_at_ms + 3600000")
        site.capture(body("y"))  # wakes the relay
        other.wait_for(1)
        got = to.wait_for(10)  # the probe within 5 s, then all of them
        equal(set(ids(got[5:])), set(events))


main(__name__)
