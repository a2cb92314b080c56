/*
 * The steps of hookspool probe. Each step acts towards an endpoint as the
 * sender would, and reports what was seen and how to correct a fault. None
 * shows the token or the path key, even if an answer does.
 */
#ifndef HOOKSPOOL_STEPS_H
#define HOOKSPOOL_STEPS_H

#include <stdbool.h>

#include "command/reach.h"
#include "command/report.h"
#include "conf/conf.h"

struct probe {
	const char *url; /* checked, without fragment; borrowed, also below */
	const char *token;
	const char *community;
	const struct text_list *secrets; /* texts to hide */
	struct reach reach;              /* reach.to says how to connect */
	struct report report;
};

/* Take one step, in this order. Each returns whether the next can tell more. */
bool steps_url(struct probe *probe);
bool steps_reach(struct probe *probe); /* name, connection, certificate */
bool steps_challenge(struct probe *probe);
bool steps_wrong_token(struct probe *probe);
bool steps_event(struct probe *probe);

#endif
