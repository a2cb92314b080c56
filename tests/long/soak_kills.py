"""kill -9 of everything at once, the web server, the endpoint and the relay
that it started, right after answers of 200 under load; again and again, behind
lighttpd with the file shipped. Nothing that was answered 200 may be lost.
SOAK_ROUNDS changes how often.
"""

import random
import sys
import time

import long_site
import server_cases
import webserver
from harness import equal, main, test, wait_until
from server_cases import Load, Stage

LOADS = 4
KILL_AFTER_MAX = 100  # answers of 200 in a round, at random


def strike(stage, number):
    """One round: what was accepted, what was answered otherwise, and how many
    processes were killed."""
    loads = [Load(stage.site, number * 10 ** 8 + n * 10 ** 6)
             for n in range(LOADS)]
    enough = random.randint(1, KILL_AFTER_MAX)
    for load in loads:
        load.start()
    wait_until(lambda: sum(len(load.accepted) for load in loads) >= enough,
               "%d answers of 200" % enough, 60)
    killed = len(stage.site.sandbox.strays()) + 1
    stage.site.server.kill()
    for load in loads:
        load.is_stopping.set()
    for load in loads:
        load.join(60)
    accepted = {k: v for load in loads for k, v in load.accepted.items()}
    return accepted, sum(len(load.others) for load in loads), killed


@test
def nothing_is_lost_when_all_is_killed_right_after_200():
    server_cases.server_class = webserver.LighttpdFastcgi
    rounds, begun = long_site.setting("ROUNDS", 20), time.monotonic()
    accepted, others, killed = {}, 0, 0
    with Stage() as stage:
        for number in range(rounds):
            if number > 0:
                stage.site.server.start()
            more, cut_off, processes = strike(stage, number)
            accepted.update(more)
            others += cut_off
            killed += processes
        stage.site.server.start()
        equal(stage.verify(), 200, "the endpoint after the last kill")
        stored = stage.site.events()

        def is_all_there():
            got = {r.id for r in stage.destination.got()}
            return got >= set(stored)

        wait_until(is_all_there, "the delivery of all", 120)
        requests = stage.destination.got()
        long_site.show("kill -9 of everything, lighttpd, relay on demand", [
            ("rounds", "killed processes", "answered 200", "cut off",
             "stored", "lost", "delivered", "delivered again", "s"),
            (rounds, killed, len(accepted), others, len(stored),
             len(set(accepted) - set(stored)),
             len({r.id for r in requests}),
             len(requests) - len({r.id for r in requests}),
             "%.0f" % (time.monotonic() - begun))])
        for event_id, body in accepted.items():
            equal(stored.get(event_id), body, event_id)
        bodies = {r.id: r.body for r in requests}
        for event_id, body in accepted.items():
            equal(bodies.get(event_id), body, event_id)


# server_cases brings its own, which this run is not for.
sys.argv[1:] = [nothing_is_lost_when_all_is_killed_right_after_200.__name__]
main(__name__)
