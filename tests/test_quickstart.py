"""The demonstration of ./quickstart works and leaves nothing behind. (That it
installs packages and builds is not tested here: this runs in the build.)
"""

import os
import re
import signal
import sys

from harness import (TOP_SRC, Sandbox, contains, equal, main, need, run, test,
                     wait_until)

SHOW = os.path.join(TOP_SRC, "tests", "quickstart", "show.py")


def folder_of(output):
    """The demonstration's temporary folder, which it names."""
    return re.search(r"/\S*hookspool-test-\w+", output).group()


def nothing_is_left_of(folder):
    assert not os.path.exists(folder), folder
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                line = f.read()
        except OSError:
            continue
        assert os.fsencode(folder) not in line, line


@test
def the_demonstration_ends_well_and_leaves_nothing():
    need("curl", "lighttpd", "openssl")
    output = run([sys.executable, SHOW, "--once"], timeout=240).stdout.decode()
    contains(output, "2135675231")
    contains(output, "byte for byte")
    equal(output.count("SHA-256 as sent"), 3, "deliveries")
    nothing_is_left_of(folder_of(output))


@test
def the_demonstration_stays_until_ctrl_c():
    need("curl", "lighttpd", "openssl")
    with Sandbox() as sandbox:
        child = sandbox.spawn([sys.executable, SHOW], "show")
        wait_until(lambda: "Ctrl-C" in child.output(), "the last step",
                   timeout_s=240, alive=[child])
        equal(child.stop(signal.SIGINT, timeout_s=60), 0, "exit status")
        nothing_is_left_of(folder_of(child.output()))


@test
def quickstart_explains_itself_and_refuses_what_it_does_not_know():
    quickstart = os.path.join(TOP_SRC, "quickstart")
    contains(run([quickstart, "--help"]).stdout, b"./quickstart --once")
    equal(run([quickstart, "--nonsense"], status=2).stdout, b"", "output")


main(__name__)
