/*
 * Collects and prints findings: see report.h.
 */
#include "config.h"

#include "command/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "json/write.h"
#include "command/print.h"

__attribute__((format(printf, 1, 0))) static char *
format_text(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

static struct finding *
add(struct report *report, const char *subject)
{
	struct finding *finding;

	report->findings = xreallocarray(
	    report->findings, report->count + 1, sizeof *report->findings);
	finding = &report->findings[report->count++];
	*finding = (struct finding){.subject = subject};
	return finding;
}

void
report_fine(struct report *report, const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(report, subject)->what = format_text(format, args);
	va_end(args);
}

void
report_wrong(struct report *report, const char *subject, const char *what,
    const char *format, ...)
{
	struct finding *finding = add(report, subject);
	va_list args;

	va_start(args, format);
	finding->fix = format_text(format, args);
	va_end(args);
	finding->what = xstrdup(what);
	finding->is_wrong = report->is_wrong = true;
}

void
report_warning(struct report *report, const char *subject, const char *what,
    const char *format, ...)
{
	struct finding *finding = add(report, subject);
	va_list args;

	va_start(args, format);
	finding->fix = format_text(format, args);
	va_end(args);
	finding->what = xstrdup(what);
}

static const char *
verdict(const struct finding *finding)
{
	if (finding->is_wrong)
		return "WRONG";
	return finding->fix != NULL ? "warn" : "ok";
}

void
report_print(struct report *report)
{
	const struct finding *f;

	while (report->printed < report->count) {
		f = &report->findings[report->printed++];
		printf("%-5s  %-13s  ", verdict(f), f->subject);
		print_safe(f->what);
		putchar('\n');
		if (f->fix != NULL) {
			printf("%22s  fix: ", "");
			print_safe(f->fix);
			putchar('\n');
		}
	}
	fflush(stdout);
}

void
report_print_json(const struct report *report)
{
	struct jsonout out = {.needs_comma = false};
	size_t i;

	jsonout_open(&out, NULL, '{');
	jsonout_bool(&out, "ok", !report->is_wrong);
	jsonout_open(&out, "findings", '[');
	for (i = 0; i < report->count; i++) {
		const struct finding *f = &report->findings[i];

		jsonout_open(&out, NULL, '{');
		jsonout_text(&out, "subject", f->subject);
		jsonout_bool(&out, "wrong", f->is_wrong);
		jsonout_text(&out, "text", f->what);
		jsonout_text(&out, "fix", f->fix);
		jsonout_close(&out, '}');
	}
	jsonout_close(&out, ']');
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

void
report_free(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		free(report->findings[i].what);
		free(report->findings[i].fix);
	}
	free(report->findings);
}
