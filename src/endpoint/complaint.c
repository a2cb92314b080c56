/*
 * Complaints: see complaint.h.
 */
#include "config.h"

#include "endpoint/complaint.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

static const char *const messages[COMPLAINT_COUNT] = {
    [COMPLAINT_CONFIG] = "the configuration file is not used",
    [COMPLAINT_SECRETS] =
	("a secret file cannot be read; the secrets read before stay in use"),
    [COMPLAINT_STORE] = "the spool cannot be opened",
    [COMPLAINT_KEEP] = "the last good configuration cannot be saved",
};

void
complaint_make(struct complaints *complaints, enum complaint complaint,
    const struct buf *why)
{
	char **last = &complaints->logged[complaint];

	if (*last != NULL && strcmp(*last, buf_text(why)) == 0)
		return;
	free(*last);
	*last = xstrdup(buf_text(why));
	log_note(
	    LOG_LEVEL_ERROR, messages[complaint], LOG_TEXT("reason", *last));
}

void
complaint_withdraw(struct complaints *complaints, enum complaint complaint)
{
	free(complaints->logged[complaint]);
	complaints->logged[complaint] = NULL;
}

void
complaint_repeat(const struct complaints *complaints)
{
	size_t i;

	for (i = 0; i < COMPLAINT_COUNT; i++)
		if (complaints->logged[i] != NULL)
			log_note(LOG_LEVEL_ERROR, messages[i],
			    LOG_TEXT("reason", complaints->logged[i]));
}

void
complaint_free(struct complaints *complaints)
{
	size_t i;

	for (i = 0; i < COMPLAINT_COUNT; i++)
		complaint_withdraw(complaints, (enum complaint)i);
}

void
complaint_about_secrets(const struct endpoint_config *endpoint)
{
	if (endpoint->verify_tokens_problem != NULL)
		log_note(LOG_LEVEL_ERROR,
		    "the sender cannot verify the endpoint: no verify token "
		    "can be used",
		    LOG_TEXT("reason", endpoint->verify_tokens_problem));
	if (endpoint->path_keys_problem != NULL)
		log_note(LOG_LEVEL_ERROR,
		    "every request is answered 503: the path keys cannot be "
		    "read",
		    LOG_TEXT("reason", endpoint->path_keys_problem));
}
