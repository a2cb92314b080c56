"""`hookspool list --follow`: events as they come."""

import json
import os
import signal

from command_site import Site, complaint, event
from harness import HOOKSPOOL, Sandbox, contains, equal, main, run, test, \
    wait_until
from relay_site import stat


def start(site, *arguments):
    """Starts it; returns when it has shown what there is and waits."""
    child = site.box.spawn([HOOKSPOOL, "-c", site.config_path, "list",
                            "--follow"] + list(arguments), "follow")
    wait_until(lambda: is_asleep(child.pid), "it waits", alive=[child])
    return child


def fdinfo(pid, fd):
    """What the kernel says of a descriptor; "" where it is closed by now."""
    try:
        with open("/proc/%d/fdinfo/%s" % (pid, fd), encoding="ascii") as f:
            return f.read()
    except OSError:
        return ""


def is_asleep(pid):
    """Whether it watches the spool, and sleeps."""
    is_watching = any("inotify wd" in fdinfo(pid, fd)
                      for fd in os.listdir("/proc/%d/fdinfo" % pid))
    return is_watching and stat(pid)[0] == "S"


def shown(child):
    return [json.loads(line)["id"] for line in child.output().splitlines()]


def switches(pid):
    """How often the process has woken up."""
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return [line.split()[1] for line in f if "ctxt_switches" in line]


@test
def new_events_are_shown_as_they_come_in_capture_order():
    with Sandbox() as box:
        site = Site(box)
        old = [site.capture(event()) for _ in range(12)]
        child = start(site, "--json")
        wait_until(lambda: shown(child) == old[2:],
                   "the newest ten to begin with", alive=[child])
        new = []
        for _ in range(3):
            new.append(site.capture(event()))
            wait_until(lambda: shown(child) == old[2:] + new, "the event",
                       alive=[child])
        more = [site.capture(event()) for _ in range(20)]
        wait_until(lambda: shown(child) == old[2:] + new + more, "the others",
                   alive=[child])
        equal(child.stop(signal.SIGINT), 0, "exit status after Ctrl-C")


@test
def the_filters_hold_and_people_get_lines():
    with Sandbox() as box:
        site = Site(box)
        site.capture(event("ticket_new"))
        child = start(site, "--type", "note_*")
        site.capture(event("ticket_new"))
        id_ = site.capture(event("note_deletion"))
        wait_until(lambda: id_[-12:] in child.output(), "the line",
                   alive=[child])
        equal(len(child.output().splitlines()), 2, "titles and an event")
        contains(child.output().splitlines()[0], "RECEIVED")
        equal(child.stop(signal.SIGTERM), 0)
        for option in ("--state=dead", "--to=x", "--until=1h"):
            contains(complaint(site.config_path, "list", "--follow", option,
                               status=2), "leave out " + option[:4])


@test
def while_nothing_comes_it_does_nothing():
    with Sandbox() as box:
        site = Site(box)
        child = start(site)
        before, ticks = switches(child.pid), stat(child.pid)[11:13]
        other = box.spawn(["sleep", "2"])
        equal(other.wait(), 0)
        equal((switches(child.pid), stat(child.pid)[11:13]), (before, ticks))
        site.capture(event())
        wait_until(lambda: len(child.output().splitlines()) == 2, "the event",
                   alive=[child])
        equal(child.stop(signal.SIGINT), 0)


@test
def it_ends_when_the_spool_is_replaced_and_when_nobody_reads():
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box)
        copy = box.join("copy.db")
        site.run("backup", copy)
        child = start(site)
        site.run("restore", copy)
        equal(child.wait(), 1)
        contains(child.output(), "replaced")
        ours, theirs = os.pipe()
        child = box.spawn([HOOKSPOOL, "-c", site.config_path, "list",
                           "--follow"], "closed", stdout=theirs)
        os.close(theirs)
        os.read(ours, 1)
        os.close(ours)
        run([HOOKSPOOL, "-c", site.config_path, "status"])
        site.capture(event())
        equal(child.wait(), -signal.SIGPIPE)


main(__name__)
