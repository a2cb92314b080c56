/*
 * What hookspool check finds, in the order of looking.
 */
#ifndef HOOKSPOOL_REPORT_H
#define HOOKSPOOL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct finding {
	const char *subject; /* constant, a word or two */
	bool is_wrong;
	char *what;
	char *mend; /* NULL where there is nothing to do; not NULL where
		       nothing is wrong: a warning */
};

/* All zero to begin with; freed with report_free. */
struct report {
	struct finding *findings;
	size_t count;
	bool is_wrong;  /* any of them */
	size_t printed; /* that report_print has shown */
};

/* How things are with the subject, which is fine. */
void report_fine(struct report *report, const char *subject, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* `what` is wrong with it; the rest says how to mend that. */
void report_wrong(struct report *report, const char *subject, const char *what,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same of what works and yet should be looked after. */
void report_warning(struct report *report, const char *subject,
    const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* For people (those not shown yet), and for programs; to stdout. */
void report_print(struct report *report);
void report_print_json(const struct report *report);

void report_free(struct report *report);

#endif
