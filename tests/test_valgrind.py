#!/usr/bin/env python3
"""A thousand requests under valgrind: no error and no leak."""

import fastcgi
import harness
from fastcgi import Site, sample
from harness import Sandbox, equal, main, need, test

EVENT = sample("ticket_status_change")


@test
def a_thousand_requests_under_valgrind_show_no_error_and_no_leak():
    need("valgrind")
    with Sandbox() as box:
        site = Site(box, "body_timeout = 10s")
        kinds = [(site.get(), b"", 200), (site.post(EVENT), EVENT, 200),
                 (site.get("challenge=%zz"), b"", 400),
                 (site.post(EVENT[:-1]), EVENT[:-1], 400)]
        process = site.start(wrapper=[
            harness.find_program("valgrind"), "--quiet", "--leak-check=full",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible",
            "--error-exitcode=99"])
        for i in range(1000):
            variables, body, status = kinds[i % len(kinds)]
            equal(site.ask(variables, body).status, status, "status")
        equal(site.bodies(), [EVENT] * 250, "events")
        status = process.stop(timeout_s=120)
        equal((status, "==" in process.output()), (0, False),
              "exit status, and valgrind's complaints:\n" + process.output())


main(__name__)
