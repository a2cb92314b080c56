/*
 * Checks whether destinations can be reached: see destinations.h.
 */
#include "config.h"

#include "command/destinations.h"

#include <signal.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "command/reach.h"
#include "command/report.h"
#include "conf/conf.h"

#define WAIT_MS 5000

static void
add_finding(struct report *report, const struct reach *reach)
{
	struct buf seen, advice;

	buf_init(&seen, WHY_MAX_BYTES);
	buf_init(&advice, WHY_MAX_BYTES);
	buf_add_format(&seen, "%s: ", reach->to.name);
	reach_add_seen(&seen, reach);
	reach_add_advice(&advice, reach);
	if (reach->look.end != LOOK_FINE)
		report_wrong(report, "destination", buf_text(&seen), "%s",
		    buf_text(&advice));
	else if (reach_expires_soon(reach))
		report_warning(report, "destination", buf_text(&seen), "%s",
		    "ask the operator of the destination to renew the "
		    "certificate");
	else
		report_fine(report, "destination", "%s", buf_text(&seen));
	buf_free(&seen);
	buf_free(&advice);
}

void
destinations_check(struct report *report, const struct config *config)
{
	size_t i, count = config->destination_count;
	struct reach *reaches;

	if (count == 0)
		return;
	reaches = xcalloc(count, sizeof *reaches);
	for (i = 0; i < count; i++) {
		reaches[i].to = config->destinations[i];
		if (reaches[i].to.timeout_ms > WAIT_MS)
			reaches[i].to.timeout_ms = WAIT_MS;
	}
	signal(SIGPIPE, SIG_IGN);
	reach_all(reaches, count);
	for (i = 0; i < count; i++)
		add_finding(report, &reaches[i]);
	free(reaches);
}
