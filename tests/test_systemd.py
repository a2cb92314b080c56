"""The systemd units: that systemd can read them as they are installed, and
that they are hardened.
"""

import glob
import os
import re

from harness import (HOOKSPOOL, ENDPOINT, Sandbox, Skip, TOP_BUILD, contains,
                     main, need, run, test)

UNITS = ("hookspool-endpoint.service", "hookspool-endpoint.socket",
         "hookspool-relay.service", "hookspool-relay-pending.service",
         "hookspool-relay-pending.timer")
SERVICES = [unit for unit in UNITS if unit.endswith(".service")]

# Tenths: systemd-analyze shows 2.0 and takes 20.
MOST_EXPOSED = 19


def unit(name):
    with open(os.path.join(TOP_BUILD, "systemd", name),
              encoding="utf-8") as f:
        return f.read()


def analyze(*arguments, **kwargs):
    need("systemd-analyze")
    return run(["systemd-analyze", "--no-pager"] + list(arguments), **kwargs)


@test
def every_service_is_hardened_below_two():
    if b"--offline" not in analyze("--help").stdout:
        raise Skip("this systemd-analyze has no --offline")
    for name in SERVICES:
        path = os.path.join(TOP_BUILD, "systemd", name)
        done = analyze("security", "--offline=true",
                       "--threshold=%d" % MOST_EXPOSED, path, status=None)
        verdict = done.stdout.decode().strip().splitlines()[-1]
        print("# " + verdict.encode("ascii", "ignore").decode().strip())
        assert done.returncode == 0, verdict


@test
def systemd_finds_nothing_wrong_with_the_units():
    with Sandbox() as sandbox:
        for name in UNITS:
            text = re.sub(r"(?<=ExecStart=)\S*/hookspool\.fcgi", ENDPOINT,
                          unit(name))
            text = re.sub(r"(?<=ExecStart=)\S*/hookspool\b", HOOKSPOOL, text)
            sandbox.write(name, text)
        paths = sorted(glob.glob(sandbox.join("hookspool-*")))
        done = analyze("verify", "--man=no", *paths, status=None)
        said = [line for line in done.stderr.decode().splitlines()
                if "hookspool" in line]
        assert done.returncode == 0 and not said, done.stderr.decode()


@test
def the_endpoint_has_no_network_and_its_socket_is_descriptor_0():
    text = unit("hookspool-endpoint.service")
    for line in ("StandardInput=socket", "PrivateNetwork=yes",
                 "RestrictAddressFamilies=AF_UNIX", "Restart=always",
                 "StartLimitIntervalSec=0"):
        contains(text, "\n%s\n" % line, "the endpoint's unit")


@test
def every_service_may_write_the_log_of_the_manuals_example():
    with open(os.path.join(TOP_BUILD, "man", "hookspool.conf.5"),
              encoding="utf-8") as f:
        example = re.search(r"^to = /var/log/(\S+)/[^/\s]+$", f.read(), re.M)
    for name in SERVICES:
        contains(unit(name), "\nLogsDirectory=%s\n" % example.group(1), name)
        contains(unit(name), "\nLogsDirectoryMode=0750\n", name)


@test
def units_say_where_this_installation_is():
    for name in UNITS + ("hookspool.cron", "hookspool.logrotate"):
        left = re.findall(r"@[a-z_]+@", unit(name))
        assert not left, "%s: %s" % (name, left)


main(__name__)
