#!/usr/bin/env python3
"""The endpoint's memory is flat: the many thousandth request runs in the
memory of the first ones.
"""

import fastcgi
from fastcgi import Site, sample
from harness import Sandbox, main, test

EVENT = sample("note_deletion")
BOUND_KIB = 2048  # what the allocator may still round up


@test
def memory_does_not_grow_with_requests():
    with Sandbox() as box:
        site = Site(box)
        process = site.start()
        large = b'{"EventType":"a","Events":["' + b"x" * 300000 + b'"]}'
        kinds = [(site.get(), b"")] * 7 + [
            (site.get("challenge=1&verifyToken=wrong"), b""),
            (site.post(EVENT[:-1]), EVENT[:-1]), (site.post(EVENT), EVENT)]
        connections = [site.connect() for _ in range(4)]  # all threads

        def ask(count):
            for i in range(count):
                connection = connections[i % 4]
                if i % 500 < 4:
                    connection.ask(site.post(large), large, keep=True)
                connection.ask(*kinds[i % len(kinds)], keep=True)
            return fastcgi.memory_kib(process.pid)

        first = ask(2000)
        last = ask(18000)
        for connection in connections:
            connection.close()
        assert last < first + BOUND_KIB, "%d KiB, then %d KiB" % (first, last)


main(__name__)
