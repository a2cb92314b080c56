"""The long runs of backlog.py. SOAK_PENDING changes how many."""

from long_site import setting
from backlog import Plan, work_with_a_backlog
from harness import main, test


@test
def a_million_deliveries_wait_of_a_thousand_tickets():
    work_with_a_backlog(Plan(setting("PENDING", 1000000), 1000, 10))


@test
def a_million_deliveries_wait_of_one_ticket():
    work_with_a_backlog(Plan(setting("PENDING", 1000000), 1, 10))


main(__name__)
