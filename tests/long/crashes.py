"""Events over many tickets to three destinations, one that is well, one that
fails at random and one that is dead for a while, with kill -9 of the relay
every few seconds. What must hold:

1. every event is delivered to each destination at least once;
2. for each destination and ticket the first successful deliveries come in
   the order of capture;
3. what is delivered again is what was answered at a kill and not recorded
   yet, and nothing else;
4. the one that is well is never behind by more than a bound, from the capture
   to its 2xx. The time from a kill to the start of the next relay is shown,
   and not taken off.
"""

import time
from collections import Counter

from harness import HOOKSPOOL, run
from long_site import Site, show

WELL, FLAKY, DEAD = "well", "flaky", "dead"
IN_FLIGHT_MAX = 8  # `concurrency`


class Plan:
    """How much and how long."""

    def __init__(self, events, tickets, rate, kill_every_s, dead_from_s,
                 dead_until_s, fail_percent=30, timeout_s=1800,
                 is_hurried=False, behind_max_s=1.0, kills_max=1000000):
        self.events = events
        self.tickets = tickets
        self.rate = rate
        self.kill_every_s = kill_every_s
        self.dead_from_s = dead_from_s
        self.dead_until_s = dead_until_s
        self.fail_percent = fail_percent
        self.timeout_s = timeout_s
        self.is_hurried = is_hurried  # do not wait for back-offs: replay
        self.behind_max_s = behind_max_s
        self.kills_max = kills_max


class Kill:
    """One kill -9: `delivered` is what the spool had recorded by then."""

    def __init__(self, at, delivered, again_at, peak_kib):
        self.at = at
        self.delivered = delivered
        self.again_at = again_at
        self.peak_kib = peak_kib


def peak_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def kill_relay(site):
    """Kills it and starts the next at once."""
    relay = site.relays[-1]
    peak, at = peak_kib(relay.pid), time.time()
    relay.process.kill()
    relay.process.wait()
    relay.log.close()
    site.children.remove(relay)  # where the run fails, the last one speaks
    delivered = site.counts("delivered")
    again_at = time.time()
    site.relay(listens=False)
    return Kill(at, delivered, again_at, peak)


class Run:
    """The run itself; what it leaves is judged afterwards."""

    def __init__(self, site, plan):
        self.site = site
        self.plan = plan
        self.kills = []
        self.begun = time.time()
        self.is_dead = False
        self.drained_s = {}

    def at(self):
        return time.time() - self.begun

    def turn_dead(self):
        sink, plan = self.site.sinks[DEAD], self.plan
        if not self.is_dead and plan.dead_from_s <= self.at() < (
                plan.dead_until_s):
            self.is_dead = True
            sink.stop()
        elif self.is_dead and self.at() >= plan.dead_until_s:
            self.is_dead = False
            sink.start()

    def note_drained(self):
        for name, count in self.site.counts("delivered").items():
            if count >= self.plan.events:
                self.drained_s.setdefault(name, self.at())

    def hurry(self):
        """Brings forward what waits for its next attempt."""
        run([HOOKSPOOL, "-c", self.site.conf, "replay", "--state", "pending"],
            status=None)

    def go(self):
        plan, site = self.plan, self.site
        site.relay()
        producer = site.spawn(site.fill_command(
            plan.events, plan.tickets, plan.rate), "fill")
        next_kill = plan.kill_every_s
        while len(self.drained_s) < 3 and self.at() < plan.timeout_s:
            time.sleep(0.05)
            self.turn_dead()
            self.note_drained()
            if self.at() >= next_kill and len(self.drained_s) < 3:
                if plan.is_hurried:
                    self.hurry()
                if len(self.kills) < plan.kills_max:
                    self.kills.append(kill_relay(site))
                next_kill = self.at() + plan.kill_every_s
        assert producer.wait() == 0, producer.output()


def first_successes(arrivals):
    """{n: arrival}, in the order in which they came."""
    first = {}
    for arrival in arrivals:
        if arrival.status == 200:
            first.setdefault(arrival.n, arrival)
    return first


def disorder(first):
    """Events of which a later one of the same ticket came before."""
    newest, wrong = {}, []
    for n, arrival in first.items():
        if newest.get(arrival.ticket, -1) > n:
            wrong.append(n)
        newest[arrival.ticket] = max(n, newest.get(arrival.ticket, -1))
    return wrong


def unrecorded(name, first, kills):
    """How many were answered 2xx and not recorded, over all kills."""
    times = sorted(a.at_us for a in first.values())
    total, i = 0, 0
    for kill in kills:
        while i < len(times) and times[i] < kill.again_at * 1e6:
            i += 1
        total += i - kill.delivered.get(name, 0)
    return total


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1,
                              len(values) * percent // 100)]


class Verdict:
    """What one destination got."""

    def __init__(self, done, name):
        arrivals = done.site.sinks[name].arrivals()
        first = first_successes(arrivals)
        successes = sum(a.status == 200 for a in arrivals)
        self.name = name
        self.requests = len(arrivals)
        self.delivered = len(first)
        self.failed = self.requests - successes
        self.again = successes - len(first)
        self.unrecorded = unrecorded(name, first, done.kills)
        self.disorder = disorder(first)
        self.most_attempts = max((a.attempt for a in arrivals), default=0)
        self.drained_s = done.drained_s.get(name, -1)
        self.lags_s = [(a.at_us - a.captured_us) / 1e6
                       for a in first.values()] or [0]

    def row(self):
        return (self.name, self.requests, self.failed, self.delivered,
                len(self.disorder), self.again, self.unrecorded,
                self.most_attempts,
                *("%.3f" % percentile(self.lags_s, p) for p in (50, 99, 100)),
                "%.0f" % self.drained_s)


HEAD = ("destination", "requests", "failed", "delivered", "out of order",
        "again", "unrecorded at kills", "most attempts", "lag p50 s",
        "p99", "max", "drained after s")


def report(done, verdicts):
    plan, kills = done.plan, done.kills
    downs = [k.again_at - k.at for k in kills] or [0]
    show("%d events, %d tickets, %d/s, %d %% fail, dead from %g to %g s; "
         "%.0f s in all" % (plan.events, plan.tickets, plan.rate,
                            plan.fail_percent, plan.dead_from_s,
                            plan.dead_until_s, done.at()),
         [HEAD] + [v.row() for v in verdicts])
    show("kill -9 of the relay", [
        ("kills", "in flight at most", "without a relay, mean s", "max",
         "relay's peak KiB"),
        (len(kills), len(kills) * IN_FLIGHT_MAX * 3,
         "%.3f" % (sum(downs) / len(downs)), "%.3f" % max(downs),
         max([k.peak_kib for k in kills] or [0]))])


def judge(done, verdicts):
    plan = done.plan
    for verdict in verdicts:
        what = verdict.name + ": "
        assert not verdict.disorder, (
            what + "out of order: %r" % verdict.disorder[:10])
        assert verdict.delivered == plan.events, (
            what + "%d of %d events delivered" % (
                verdict.delivered, plan.events))
        # Where a destination goes, it takes answers with it as well.
        allowed = verdict.unrecorded + (
            IN_FLIGHT_MAX if verdict.name == DEAD else 0)
        assert verdict.again <= allowed <= (
            (len(done.kills) + 1) * IN_FLIGHT_MAX), (
                what + "%d came again, %d were answered and not recorded "
                "at %d kills" % (verdict.again, allowed, len(done.kills)))
    well = max(verdicts[0].lags_s)
    assert well <= plan.behind_max_s, "%s was %.3f s behind" % (WELL, well)


def deliver_under_kills(plan):
    with Site((WELL, 0), (FLAKY, plan.fail_percent), (DEAD, 0)) as site:
        done = Run(site, plan)
        done.go()
        verdicts = [Verdict(done, name) for name in (WELL, FLAKY, DEAD)]
        report(done, verdicts)
        judge(done, verdicts)
        kinds = Counter(dict(site.look(
            "SELECT state, count(*) FROM delivery GROUP BY 1")))
        assert kinds == {"delivered": 3 * plan.events}, kinds
