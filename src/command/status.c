/*
 * hookspool status: shows what waits, since when, and why.
 */
#include "config.h"

#include "base/clock.h"
#include "command/command.h"
#include "command/limits.h"
#include "command/overview.h"
#include "command/plugin.h"
#include "command/site.h"

enum { OPTION_WARN, OPTION_CRIT, OPTION_JSON };

static const struct option_row status_options[] = {
    [OPTION_WARN] = {"warn", "LIMITS",
	"as a monitoring plugin: exit status 1 if a limit is reached, such as "
	"oldest=15m,down=10m,free=1G"},
    [OPTION_CRIT] = {"crit", "LIMITS", "the same with exit status 2"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

static bool
is_plugin(const struct call *call)
{
	return call->values[OPTION_WARN] != NULL ||
	       call->values[OPTION_CRIT] != NULL;
}

static int
status_read(struct call *call)
{
	const char *const *values = call->values;
	struct limits limits;
	struct buf why;
	int status = STATUS_FINE;

	buf_init(&why, 1024);
	if (!limits_read(values[OPTION_WARN], &limits, &why) ||
	    !limits_read(values[OPTION_CRIT], &limits, &why))
		status = command_misuse(call, "%s", buf_text(&why));
	buf_free(&why);
	return status;
}

/* Returns whether there is enough to show, or to judge. A plugin also reports
 * the fault of a site without readable data. */
static bool
is_known(const struct call *call, const struct site *site)
{
	if (site->hidden.len > 0)
		return false;
	if (is_plugin(call))
		return site->has_summary || site->capture_problem.len > 0;
	return site->has_summary && !site->is_kept;
}

static int
refuse(const struct call *call, const struct site *site)
{
	const struct buf *why = &site->capture_problem;

	if (site->hidden.len > 0)
		why = &site->hidden;
	else if (site->is_kept)
		why = &site->config_problem;
	else if (site->store_problem.len > 0)
		why = &site->store_problem;
	return command_refuse(call, "%s", buf_text(why));
}

static int
show(const struct call *call, const struct site *site)
{
	const char *warn = call->values[OPTION_WARN];
	const char *crit = call->values[OPTION_CRIT];
	bool is_judged = is_plugin(call);
	int64_t now_ms = clock_wall_ms();
	enum level level =
	    is_judged ? plugin_judge(warn, crit, site, now_ms) : LEVEL_OK;

	if (call->values[OPTION_JSON] != NULL) {
		overview_print_json(
		    site, now_ms, is_judged ? level_name(level) : NULL);
		return (int)level;
	}
	if (is_judged)
		plugin_print(warn, crit, site, now_ms);
	if (site->has_summary)
		overview_print_text(site, now_ms);
	return (int)level;
}

static int
run_status(struct call *call)
{
	struct site site;
	int status;

	site_open(&site, call->config_option);
	status =
	    is_known(call, &site) ? show(call, &site) : refuse(call, &site);
	site_close(&site);
	return status;
}

const struct command command_status = {.name = "status",
    .operands = "",
    .options = status_options,
    .read = status_read,
    .run = run_status,
    .is_plugin = is_plugin,
    .summary = "show the backlog and the state of each destination"};
