/*
 * The steps of hookspool probe: each does to an endpoint what the sender would
 * do, and adds what it saw to the report, and what to do where that is wrong.
 * None shows the token or the path key, whatever is answered.
 */
#ifndef HOOKSPOOL_STEPS_H
#define HOOKSPOOL_STEPS_H

#include <stdbool.h>

#include "command/reach.h"
#include "command/report.h"
#include "conf/conf.h"

struct probe {
	const char *url; /* checked, without a fragment; borrowed, as is what
			    follows */
	const char *token;
	const char *community;
	const struct text_list *secrets; /* what is not to be shown */
	struct reach reach;              /* `to` says how to get there */
	struct report report;
};

/* Each returns whether the next one can tell anything more. In this order. */
bool steps_url(struct probe *probe);
bool steps_reach(struct probe *probe); /* name, connection, certificate */
bool steps_challenge(struct probe *probe);
bool steps_wrong_token(struct probe *probe);
bool steps_event(struct probe *probe);

#endif
