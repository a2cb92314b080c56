"""The long run of crashes.py. SOAK_EVENTS, SOAK_TICKETS, SOAK_RATE (events a
second), SOAK_KILL_EVERY_S, SOAK_TIMEOUT_S change it.
"""

from long_site import setting
from crashes import Plan, deliver_under_kills
from harness import main, test


@test
def events_reach_three_destinations_in_order_under_kills():
    deliver_under_kills(Plan(
        events=setting("EVENTS", 100000), tickets=setting("TICKETS", 1000),
        rate=setting("RATE", 250),
        kill_every_s=setting("KILL_EVERY_S", 4), dead_from_s=20,
        dead_until_s=80, timeout_s=setting("TIMEOUT_S", 1800)))


main(__name__)
