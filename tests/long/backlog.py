"""A long backlog: what the relay's start, its memory, capture and the
operator's command cost with it.
"""

import os
import time

from crashes import peak_kib
from harness import HOOKSPOOL, TOP_BUILD, equal, run, wait_until
from long_site import Site, show

ROUTE_ALL = os.path.join(TOP_BUILD, "route_all")
CAPTURES = 10000  # to measure the rate of capture
PEAK_MAX_KIB = 64 * 1024
NAME = "crm"
READS_BODIES = ["erase", "--ticket", "0", "--dry-run"]  # all of each
RARE = 777777777  # a ticket of which there is one event, the very first


class Plan:
    """`delivering_s`: for how long the relay works on the backlog."""

    def __init__(self, events, tickets, delivering_s, start_max_s=1.0,
                 command_max_s=2.0, capture_factor=3):
        self.events = events
        self.tickets = tickets
        self.delivering_s = delivering_s
        self.start_max_s = start_max_s
        self.command_max_s = command_max_s
        self.capture_factor = capture_factor  # slower with a backlog


def captures_a_second(site, plan, first):
    return CAPTURES * 1000 // max(
        1, site.fill(CAPTURES, plan.tickets, first=first))


def time_commands(site):
    """Rows (command, seconds); the middle one of three times."""
    an_id = site.look("SELECT id FROM events WHERE seq = 5000")[0][0]
    rows = []
    for arguments in (
            ["status"], ["status", "--json"], ["list"],
            ["list", "--ticket", "0"], ["list", "--ticket", str(RARE)],
            ["list", "--state", "pending", "--to", NAME],
            ["list", "--state", "pending", "--ticket", str(RARE)],
            ["list", "--state", "dead"], ["list", "--since", "1h"],
            ["show", an_id],
            ["replay", "--all", "--dry-run"],
            ["replay", "--state", "pending", "--dry-run"],
            ["replay", "--ticket", "0", "--state", "pending", "--dry-run"],
            ["drop", "--to", NAME, "--dry-run"],
            READS_BODIES):
        times = []
        for _ in range(1 if arguments == READS_BODIES else 3):
            begun = time.monotonic()
            run([HOOKSPOOL, "-c", site.conf] + arguments, timeout=600)
            times.append(time.monotonic() - begun)
        rows.append((" ".join(arguments).replace(an_id, "ID"),
                     "%.3f" % sorted(times)[len(times) // 2]))
    return rows


def check_lists(site):
    """That one event is found behind many others, and all of a ticket."""
    def count(*arguments):
        return len(run([HOOKSPOOL, "-c", site.conf, "list", "--json"] +
                       list(arguments)).stdout.splitlines())

    equal(count("--ticket", str(RARE)), 1, "events of the first ticket")
    equal(count("--ticket", str(RARE), "--since", "1h"), 1, "by time")
    equal(count("--ticket", "none"), 0, "events of no ticket")
    in_all = site.look("SELECT count(*) FROM events WHERE ticket_id = '0'")
    equal(count("--ticket", "0", "--limit", "0"), in_all[0][0],
          "events of a ticket")


class Delivering:
    """A relay's first seconds on the backlog."""

    def __init__(self, site, seconds):
        sink = site.sinks[NAME]
        before, begun = sink.count(), time.monotonic()
        relay = site.relay(listens=False)
        wait_until(lambda: sink.count() > before, "a delivery", 60, [relay])
        self.first_s = time.monotonic() - begun
        first_at = time.monotonic()
        delivered = site.counts("delivered").get(NAME, 0)
        time.sleep(seconds)  # this is the measurement
        self.rate = (site.counts("delivered")[NAME] - delivered) / (
            time.monotonic() - first_at)
        self.peak_kib = peak_kib(relay.pid)
        begun = time.monotonic()
        relay.stop()
        self.stop_s = time.monotonic() - begun

    def row(self, what):
        return (what, "%.3f" % self.first_s, "%.0f" % self.rate,
                self.peak_kib, "%.3f" % self.stop_s)


def work_with_a_backlog(plan):
    with Site((NAME, 0)) as site:
        site.fill(1, RARE + 1, first=RARE)
        empty = captures_a_second(site, plan, 0)
        filled_ms = site.fill(plan.events - CAPTURES, plan.tickets,
                              first=CAPTURES)
        new = Delivering(site, plan.delivering_s)
        begun = time.monotonic()
        run([ROUTE_ALL, site.spool, NAME], timeout=900)
        routed_s = time.monotonic() - begun
        site.fill(site.counts("delivered")[NAME], plan.tickets,
                  first=plan.events)
        run([ROUTE_ALL, site.spool, NAME], timeout=900)
        commands = time_commands(site)
        check_lists(site)
        full = captures_a_second(site, plan, 2 * plan.events)
        pending = Delivering(site, plan.delivering_s)
        (size,), = site.look("PRAGMA page_count")
        show("%d pending, %d tickets; %d MiB; filled in %.0f s, routed in "
             "%.0f s" % (plan.events, plan.tickets, size * 4096 >> 20,
                         filled_ms / 1000, routed_s), [
            ("relay", "start to first delivery, s", "delivered/s",
             "peak KiB", "stop, s"),
            new.row("all of them not routed yet"),
            pending.row("all of them pending")])
        show("capture", [("without a backlog, events/s", "with it"),
                         (empty, full)])
        show("the command", [("", "s")] + commands)
        for start in (new, pending):
            assert start.first_s <= plan.start_max_s, start.first_s
            assert start.peak_kib <= PEAK_MAX_KIB, start.peak_kib
        slow = [row for row in commands
                if float(row[1]) > plan.command_max_s and
                row[0] != " ".join(READS_BODIES)]
        assert not slow, slow
        assert full * plan.capture_factor >= empty, "capture: %d, then %d a second" % (
            empty, full)
