#!/usr/bin/env python3
"""Destinations that are down, ask to wait, are gone or paused: what waits for
them is kept, they are tried with care, others never notice, and as soon as
they are back all of it flows.
"""

import json
import threading
import time
from email.utils import formatdate

from destination import Destination
from harness import contains, equal, main, test, wait_until
from relay_site import Site, body, ids, logged, section, stat


class Gauge:
    """Answers `status` after a moment; knows how many requests it had at
    once."""

    def __init__(self, status, takes_s=0.05):
        self.status = status
        self.takes_s = takes_s
        self.now = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, _):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.takes_s)
        with self.lock:
            self.now -= 1
        return self.status


class Gate:
    """Answers 200, but not before it is opened."""

    def __init__(self):
        self.event = threading.Event()
        self.open = self.event.set

    def __call__(self, _):
        self.event.wait(60)
        return "200"


def lines(relay, message):
    """The fields of the JSON log lines with that message."""
    rows = [json.loads(line) for line in relay.output().splitlines()]
    return [row for row in rows if message in row["message"]]


# ---- down and back ----

@test
def a_dead_destination_is_probed_by_one_and_then_gets_all_at_once():
    gauge = Gauge("500")
    with Destination(gauge) as dead, Destination() as healthy, Site(
            section("dead", dead.url(host="u:pa55word@127.0.0.1")),
            section("healthy", healthy.url()),
            "[log]\nformat = json\n") as site:
        events = [site.capture(body(text="s3cret%d" % i)) for i in range(40)]
        relay = site.relay()
        healthy.wait_for(40)
        logged(relay, "destination is down")
        wait_until(lambda: gauge.now == 0, "the end of the first attempts")
        # Those that were under way, 8 at most, and those of a moment before.
        before = len(dead.got())
        assert before <= 12, "%d attempts before it was down" % before
        gauge.most = 0
        dead.wait_for(before + 1)  # within 5 s
        equal(gauge.most, 1, "probes at once")
        wait_until(lambda: gauge.now == 0, "the end of the probe")
        tried = site.query("SELECT count(*) FROM deliveries "
                           "WHERE attempts > 0 AND state = 0")[0][0]
        assert tried <= before + 1, "%d deliveries were touched" % tried
        row = lines(relay, "destination is down")[0]
        equal((row["to"], row["waiting"], row["status"]), ("dead", 40, 500))
        assert "since" in row and "error" in row, row

        # However far off what failed is: it all comes at the first success.
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000 "
                    "WHERE attempts > 0 AND state = 0")
        gauge.status = "200"
        before = len(dead.got())
        site.command("reload")  # probes at once
        got = dead.wait_for(before + 40)[before:]
        equal(set(ids(got)), set(events))
        equal(len(got), 40, "requests")
        assert gauge.most >= 6, "%d at once when it was back" % gauge.most
        assert got[1].at - got[0].at >= 0.04, "two probes"
        took = got[-1].at - got[0].at
        assert took < 5, "%.1f s for the backlog" % took
        logged(relay, "destination is back")
        row = lines(relay, "destination is back")[0]
        equal((row["to"], row["waiting"]), ("dead", 39))
        assert "since" in row and "down_s" in row, row
        log = relay.output()
        equal(len(lines(relay, "destination is down")), 1, log)
        assert len(lines(relay, "first attempt failed")) <= 5, log
        assert "s3cret" not in log and "pa55word" not in log, log


@test
def one_that_was_down_before_a_restart_is_probed_at_once_and_gets_all():
    gauge = Gauge("500")
    with Destination(gauge) as to, Site(section("crm", to.url())) as site:
        events = [site.capture() for _ in range(6)]
        relay = site.relay()
        logged(relay, "destination is down")
        wait_until(lambda: site.query("SELECT name FROM destinations "
                                      "WHERE down_since_ms > 0"),
                   "its record", alive=[relay])
        relay.stop()
        site.query("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000 "
                   "WHERE attempts > 0")
        before = len(to.got())
        gauge.status = "200"
        gauge.most = 0
        relay = site.relay()
        got = to.wait_for(before + 6)[before:]
        equal(set(ids(got)), set(events))
        took = got[-1].at - got[0].at
        assert took < 2, "%.1f s for the backlog" % took
        assert got[1].at - got[0].at >= 0.04, "two probes"
        logged(relay, "destination is back")


@test
def one_that_fails_for_itself_does_not_stop_the_others():
    with Site() as site:
        def judge(request):
            return "422" if b"poison" in request.body else "200"

        with Destination(judge) as to:
            site.configure(section("crm", to.url()))
            relay = site.relay()

            def delivered(count):
                wait_until(lambda: relay.output().count("delivered") == count,
                           "delivery %d" % count, alive=[relay])

            for i in range(3):
                site.capture(body(text="poison"))
                site.capture(body(text="poison"))
                site.capture()
                delivered(i + 1)
            # Six in a row fail, again and again, and that says nothing of
            # the destination: each of them had failed before a success.
            for i in range(3):
                site.change("UPDATE deliveries SET next_at_ms = 1 "
                            "WHERE state = 0")
                site.capture()  # wakes the relay
                wait_until(lambda: site.query(
                    "SELECT min(attempts) FROM deliveries "
                    "WHERE last_status = 422")[0][0] >= i + 2,
                    "the poison's attempts", alive=[relay])
                delivered(4 + i)
            assert "is down" not in relay.output(), relay.output()


# ---- Retry-After ----

@test
def retry_after_holds_the_whole_destination_also_over_a_restart():
    def date(request):
        return "429 Retry-After: " + formatdate(request.wall_s + 5,
                                                usegmt=True)

    with Destination("503 Retry-After: 4", "200") as seconds, \
            Destination(date, "200") as dated, Destination() as other, \
            Site(section("seconds", seconds.url(), "concurrency = 1"),
                 section("dated", dated.url(), "concurrency = 1"),
                 section("other", other.url())) as site:
        events = [site.capture(body(text=str(i))) for i in range(6)]
        relay = site.relay()
        other.wait_for(6)
        wait_until(lambda: relay.output().count("asked to wait") == 2,
                   "both holds", alive=[relay])
        wait_until(lambda: len(site.query(
            "SELECT id FROM destinations WHERE hold_until_ms > 0")) == 2,
            "their record")
        relay.stop()
        site.relay()
        for to in (seconds, dated):
            got = to.wait_for(7)
            waited = got[1].at - got[0].at
            assert 3.9 < waited, "tried again after %.1f s" % waited
            equal(set(ids(got)), set(events))
            took = got[-1].at - got[1].at
            assert took < 3, "%.1f s for the rest" % took


@test
def the_time_of_a_hold_kills_no_delivery():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        site.capture()
        relay = site.relay()
        logged(relay, "first attempt failed")
        relay.stop()
        hours = 3600000
        # 73 hours ago, of which 2 were held.
        site.query("UPDATE deliveries SET attempts = 9, next_at_ms = 0, "
                   "first_attempt_ms = first_attempt_ms - %d" % (73 * hours))
        site.query("UPDATE destinations SET held_total_ms = %d" % (2 * hours))
        relay = site.relay()
        to.wait_for(2)
        wait_until(lambda: site.settled() == [("pending", 10)],
                   "the attempt's record", alive=[relay])
        assert "dead" not in relay.output(), relay.output()


# ---- pauses ----

@test
def a_410_pauses_until_it_is_resumed():
    with Destination("410", "200") as gone, Destination() as other, Site(
            section("gone", gone.url(), "concurrency = 1"),
            section("other", other.url())) as site:
        events = [site.capture(body(text=str(i))) for i in range(3)]
        relay = site.relay()
        logged(relay, "hookspool resume gone")
        contains(relay.output(), "to=gone waiting=3 status=410")
        events.append(site.capture())
        other.wait_for(4)
        relay.stop()
        relay = site.relay()  # it is still so
        events.append(site.capture())
        other.wait_for(5)
        logged(relay, "destination is paused")
        equal(len(gone.got()), 1, "requests")
        equal(site.query("SELECT pause_reason FROM destinations "
                         "WHERE paused_at_ms > 0"),
              [("it answered 410 Gone",)])
        site.command("resume", "gone")
        got = gone.wait_for(6)
        equal(sorted(ids(got[1:])), sorted(events))
        logged(relay, "destination is resumed")


@test
def a_pause_acts_at_once_and_lets_end_what_is_under_way():
    gate = Gate()
    with Destination(gate, "200") as to, Site(
            section("crm", to.url(), "concurrency = 1")) as site:
        first = site.capture()
        relay = site.relay()
        to.wait_for(1)
        site.command("pause", "crm")
        logged(relay, "destination is paused")
        second = site.capture()
        gate.open()
        logged(relay, "delivered id=" + first)
        wait_until(lambda: ("pending", 0) in site.settled(),
                   "the second delivery")
        equal(len(to.got()), 1, "requests")
        started = time.monotonic()
        site.command("resume", "crm")
        got = to.wait_for(2)
        print("# from the resume to the attempt: %.1f ms, the command's start "
              "included" % ((got[1].at - started) * 1000))
        equal(ids(got), [first, second])
        assert got[1].at - started < 2, "%.1f s" % (got[1].at - started)


@test
def a_paused_destination_keeps_no_relay_busy():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        site.command("pause", "crm")
        logged(relay, "destination is paused")
        event = site.capture()
        wait_until(lambda: site.settled() == [("pending", 0)], "the delivery")
        before = stat(relay.pid)[11:13]
        time.sleep(1.5)  # the idleness that is measured
        used = sum(map(int, stat(relay.pid)[11:13])) - sum(map(int, before))
        assert used <= 1, "%d clock ticks of CPU" % used
        site.command("resume", "crm")
        equal(ids(to.wait_for(1)), [event])


@test
def what_is_paused_keeps_no_relay_alive():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand",
                                   idle_exit="1s") as site:
        relay = site.relay("--on-demand")
        site.command("pause", "crm")
        logged(relay, "destination is paused")
        event = site.capture()
        wait_until(lambda: site.settled() == [("pending", 0)], "the delivery")
        equal(relay.wait(), 0, "status of the relay on demand")
        relay = site.relay("--if-pending", listens=False)
        equal(relay.wait(), 0, "status of --if-pending")
        equal(relay.output(), "", "its log")
        equal(to.got(), [], "requests")
        site.command("resume", "crm")
        equal(ids(to.wait_for(1)), [event])
        wait_until(lambda: not site.strays(b"relay"), "the end of the relay")


main(__name__)
