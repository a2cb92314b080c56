#!/usr/bin/env python3
"""The endpoint's memory is flat, the many thousandth request runs in the
memory of the first ones; and it is bounded, whatever a body is made of
(hookspool.fcgi(8), CAVEATS).
"""

import threading

import fastcgi
from fastcgi import Site, sample
from harness import Sandbox, equal, main, test

EVENT = sample("note_deletion")
MAX_BODY = 1 << 20  # by default
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


def hostile_bodies():
    """Bodies of max_body that ask for much memory where it is easy to give:
    many values, long strings with escapes, a long number."""
    head = b'{"EventType":"a","Events":[],'
    for body in [head + b'"x":[' + b"{}," * 49990 + b"1]}",
                 head + b'"CommunityName":"' + b"\\u00e9" * 170000 + b'"}',
                 head + b'"TicketId":' + b"1" * 1000000 + b"}",
                 head + b'"x":"' + b"x" * 1000000 + b'"}']:
        yield body + b" " * (MAX_BODY - len(body))


@test
def memory_is_bounded_whatever_a_body_is_made_of():
    with Sandbox() as box:
        site = Site(box)
        process = site.start()
        statuses = []

        def ask():
            for body in hostile_bodies():
                statuses.append(site.ask(site.post(body), body).status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(statuses, [200] * 32, "statuses")
        peak = fastcgi.memory_kib(process.pid, "VmHWM")
        bound = 16384 + 4 * 4 * MAX_BODY // 1024  # four threads
        assert peak < bound, "%d KiB, more than %d KiB" % (peak, bound)


main(__name__)
