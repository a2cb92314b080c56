"""The file for logrotate, as it is shipped, while a relay writes to the log."""

import os
import re

from destination import Destination
from harness import TOP_BUILD, contains, equal, find_program, main, need, \
    run, test, wait_until
from relay_site import Site, section


def shipped(folder):
    """The file with the folder of this test, and without its user."""
    with open(os.path.join(TOP_BUILD, "systemd", "hookspool.logrotate"),
              encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"^\s*su .*\n", "", text, flags=re.M)
    text = re.sub(r"create (\d+) .*", r"create \1", text)
    return text.replace("/var/log/hookspool", folder)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@test
def no_line_is_lost_when_the_log_is_rotated():
    need("logrotate")
    with Destination() as to, Site() as site:
        os.mkdir(site.join("log"), 0o750)
        log = site.join("log", "hookspool.log")
        site.configure(section("crm", to.url()), "[log]\nto = %s\n" % log)
        relay = site.relay(listens=False)
        wait_until(lambda: os.path.exists(log) and
                   "relay started" in read(log), "the log", alive=[relay])
        conf = site.write("logrotate.conf", shipped(site.join("log")))

        def rotate():
            run([find_program("logrotate"), "-f", "-s", site.join("state"),
                 conf])

        def deliver():
            event = site.capture()
            wait_until(lambda: "delivered id=" + event in read(log),
                       "the line", alive=[relay])
            return event
        first = deliver()
        rotate()
        equal(read(log), "", "the new file")
        second = deliver()
        contains(read(log + ".1"), "delivered id=" + first)
        assert first not in read(log)
        rotate()
        third = deliver()
        contains(read(log + ".1"), "delivered id=" + second)
        assert os.path.exists(log + ".2.gz")
        assert second not in read(log) and third in read(log)


main(__name__)
