"""What the long runs share: a spool that is filled fast, destinations that
are fast (sink.c), and tables. Loopback only.
"""

import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import relay_site
from harness import TOP_BUILD, run

FILL = os.path.join(TOP_BUILD, "fill")
SINK = os.path.join(TOP_BUILD, "sink")


class Arrival:
    """One line of a sink's log: a request and what was answered."""

    __slots__ = ("at_us", "status", "attempt", "n", "ticket", "captured_us")

    def __init__(self, line):
        (self.at_us, self.status, self.attempt, self.n, self.ticket,
         self.captured_us) = map(int, line.split())


class Sink:
    """A destination; it can be stopped and started again on its port."""

    def __init__(self, box, name, fail_percent=0):
        self.box = box
        self.name = name
        self.fail_percent = fail_percent
        self.log = box.join(name + ".requests")
        self.port = 0
        self.child = None
        self.start()

    def start(self):
        self.child = self.box.spawn(
            [SINK, str(self.port), self.log, str(self.fail_percent)],
            self.name, stdout=subprocess.PIPE)
        self.port = int(self.child.process.stdout.readline())
        self.child.process.stdout.close()

    def stop(self):
        self.child.stop()

    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def arrivals(self):
        with open(self.log, encoding="ascii") as f:
            return [Arrival(line) for line in f]

    def count(self):
        """How many requests came, roughly: cheap."""
        return os.path.getsize(self.log)


class Site(relay_site.Site):
    """A spool with sinks as its destinations: pairs (name, percent of its
    requests that fail)."""

    def __init__(self, *sinks):
        super().__init__()
        self.sinks = {name: Sink(self, name, percent)
                      for name, percent in sinks}
        self.configure(*[relay_site.section(name, sink.url())
                         for name, sink in self.sinks.items()])

    def fill_command(self, count, tickets, rate=0, body_bytes=1000, first=0):
        return [FILL, self.spool] + [
            str(n) for n in (count, tickets, rate, body_bytes, first)]

    def fill(self, *arguments, **kwargs):
        """Captures; how many milliseconds that took."""
        return int(run(self.fill_command(*arguments, **kwargs),
                       timeout=600).stdout)

    def look(self, sql):
        """As query, while others write: a reader that cannot write makes no
        checkpoint when it closes."""
        database = sqlite3.connect(
            "file:%s?mode=ro" % self.join("spool", "spool.db"), uri=True)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def counts(self, column):
        """{destination: how many}"""
        return dict(self.look("SELECT name, %s FROM destinations" % column))


def show(title, rows):
    """A table; it goes among the lines of TAP."""
    print("# " + title)
    widths = [max(len(str(row[i])) for row in rows)
              for i in range(len(rows[0]))]
    for row in rows:
        print("#   " + "  ".join(
            str(cell).ljust(width) for cell, width in zip(row, widths)),
              flush=True)


def setting(name, default):
    """A number that the environment may change."""
    return int(os.environ.get("SOAK_" + name, default))
