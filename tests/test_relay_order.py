#!/usr/bin/env python3
"""The order of deliveries: those of one ticket, or of one conversation, come
one after the other in the order of their capture, whatever fails and however
often the relay is killed; others go in parallel.
"""

import random
import signal
import threading
import time

from destination import Destination
from harness import equal, main, test, wait_until
from relay_site import Site, body, ids, logged, section


def of_ticket(number, **more):
    return body(TicketId=number, **more)


class Flaky:
    """Fails at random; remembers which requests it accepted."""

    def __init__(self, share):
        self.random = random.Random(7)
        self.share = share
        self.accepted = []
        self.lock = threading.Lock()

    def __call__(self, request):
        with self.lock:
            if self.random.random() < self.share:
                return "500"
            self.accepted.append(request.id)
            return "200"

    def first_of(self, events):
        """Those events in the order in which they were first accepted."""
        with self.lock:
            return [e for e in dict.fromkeys(self.accepted) if e in events]


def captured_lanes(site):
    """200 events of 30 tickets and 20 conversations, mixed; the events of
    each."""
    lanes = {}
    for i in range(200):
        number = i * 7 % 50
        data = of_ticket(number, text=str(i)) if number < 30 else \
            body(ConversationId=number, text=str(i))
        lanes.setdefault(number, []).append(site.capture(data))
    return list(lanes.values())


@test
def tickets_and_conversations_keep_their_order_under_failures_and_kills():
    flaky, sound = Flaky(0.15), Flaky(0)
    with Destination(flaky) as one, Destination(sound) as two, Site(
            section("flaky", one.url()), section("sound", two.url())) as site:
        relay = site.relay()
        lanes = []
        capturing = threading.Thread(
            target=lambda: lanes.extend(captured_lanes(site)))
        capturing.start()
        kills = 0
        end = time.monotonic() + 60
        while capturing.is_alive() or (
                len(set(flaky.accepted)) < 200 and kills < 12):
            time.sleep(0.3)  # it works meanwhile
            relay.stop(signal.SIGKILL)
            kills += 1
            relay = site.relay()
        capturing.join()
        for judge in (flaky, sound):
            wait_until(lambda: len(set(judge.accepted)) == 200,
                       "all deliveries", end - time.monotonic(),
                       alive=[relay])
            for lane in lanes:
                equal(judge.first_of(lane), lane, "order")
            twice = len(judge.accepted) - 200
            assert twice <= 8 * kills, "%d came twice" % twice
        print("# %d kills, %d and %d came twice" % (
            kills, len(flaky.accepted) - 200, len(sound.accepted) - 200))


@test
def tickets_go_in_parallel_and_each_of_them_one_by_one():
    release = threading.Event()

    def wait(_):
        release.wait(30)
        return "200"

    with Destination(wait) as to, Site(
            section("crm", to.url(), "concurrency = 8")) as site:
        events = {t: [site.capture(of_ticket(t, text=str(i)))
                      for i in range(3)] for t in range(4)}
        loose = [site.capture(body(text=str(i))) for i in range(2)]
        site.relay()
        got = to.wait_for(6)
        equal(set(ids(got)), {e[0] for e in events.values()} | set(loose),
              "what is under way at once")
        equal(len(to.got()), 6, "requests under way")
        release.set()
        got = ids(to.wait_for(14))
        for lane in events.values():
            equal([e for e in got if e in lane], lane)


@test
def the_same_number_in_another_community_is_another_ticket():
    release = threading.Event()

    def wait(_):
        release.wait(30)
        return "200"

    with Destination(wait) as to, Site(section("crm", to.url())) as site:
        for community in ("North", "South"):
            site.capture(body(community=community, TicketId=1))
        site.relay()
        to.wait_for(2)
        release.set()


@test
def one_that_fails_holds_back_its_ticket_and_nothing_else():
    with Site() as site:
        failing = []

        def judge(request):
            return "500" if request.id in failing and \
                request.attempt == 1 else "200"

        with Destination(judge) as ordered, Destination(judge) as free:
            site.configure(section("ordered", ordered.url()),
                           section("free", free.url(), "order = none"))
            first = site.capture(of_ticket(1, text="1"))
            failing.append(first)
            second = site.capture(of_ticket(1, text="2"))
            other = site.capture(of_ticket(2))
            site.relay()
            got = ids(ordered.wait_for(4))
            equal([e for e in got if e != other], [first, first, second])
            assert got.index(other) < 2 or got[1:3] == [first, second], got
            got = ids(free.wait_for(4))
            equal(sorted(got[:3]), sorted([first, second, other]))
            equal(got[3], first)


@test
def one_that_dies_lets_the_next_pass():
    with Site() as site:
        with Destination("500", "500", "200") as to:
            site.configure(section("crm", to.url()))
            site.capture(of_ticket(1, text="1"))
            second = site.capture(of_ticket(1, text="2"))
            relay = site.relay()
            logged(relay, "first attempt failed")
            relay.stop()
            site.query("UPDATE deliveries SET attempts = 9, next_at_ms = 0, "
                       "first_attempt_ms = first_attempt_ms - 73 * 3600000 "
                       "WHERE attempts > 0")
            relay = site.relay()
            logged(relay, "delivery is dead")
            equal(to.wait_for(3)[2].id, second)


main(__name__)
