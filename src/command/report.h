/*
 * The findings of hookspool check and probe, in the order of the checks.
 */
#ifndef HOOKSPOOL_REPORT_H
#define HOOKSPOOL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct finding {
	const char *subject; /* constant, one or two words */
	bool is_wrong;
	char *what;
	char *fix; /* NULL: nothing to do; set without is_wrong: a warning */
};

/* Zeroed to begin with; freed with report_free. */
struct report {
	struct finding *findings;
	size_t count;
	bool is_wrong;  /* any of them */
	size_t printed; /* already shown by report_print */
};

/* Adds a finding without fault. */
void report_fine(struct report *report, const char *subject, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Adds a fault: `what` is wrong, and the format says how to correct it. */
void report_wrong(struct report *report, const char *subject, const char *what,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a warning: something works, but needs attention. */
void report_warning(struct report *report, const char *subject,
    const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Print to stdout: new findings for people, all findings for programs. */
void report_print(struct report *report);
void report_print_json(const struct report *report);

void report_free(struct report *report);

#endif
