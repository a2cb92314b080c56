"""The long runs (`make soak`), made short: see long/."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "long"))

import backlog
from crashes import Plan, deliver_under_kills
from harness import main, test


@test
def events_reach_three_destinations_in_order_under_kills():
    deliver_under_kills(Plan(
        events=1000, tickets=100, rate=500, kill_every_s=1, dead_from_s=1,
        dead_until_s=3, is_hurried=True, kills_max=10, timeout_s=180,
        behind_max_s=30))


@test
def a_backlog_costs_neither_memory_nor_time():
    backlog.work_with_a_backlog(backlog.Plan(
        20000, 100, 1, start_max_s=10, command_max_s=10, capture_factor=30))


main(__name__)
