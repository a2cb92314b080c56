/*
 * hookspool, the operator's command. Finds the subcommand, reads its options,
 * prepares what its table row needs, and runs it.
 */
#include "config.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "base/xalloc.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "command/environment.h"
#include "command/names.h"
#include "command/target.h"
#include "command/site.h"
#include "conf/conf.h"
#include "conf/near.h"
#include "spool/spool.h"

static const struct command *const commands[] = {
    &command_init,
    &command_check,
    &command_relay,
    &command_status,
    &command_list,
    &command_show,
    &command_probe,
    &command_send,
    &command_refused,
    &command_replay,
    &command_drop,
    &command_pause,
    &command_resume,
    &command_reload,
    &command_stop,
    &command_erase,
    &command_forget,
    &command_export,
    &command_backup,
    &command_restore,
    &command_migrate,
    &command_completion,
    NULL,
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0] - 1)

static void
print_usage(FILE *out)
{
	size_t i;

	fputs("Usage: hookspool [-c FILE] SUBCOMMAND [OPTION...]\n\n", out);
	for (i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s  %s\n", commands[i]->name,
		    commands[i]->summary);
	fputs("\n"
	      "  -c FILE    the configuration, else $HOOKSPOOL_CONF, else\n"
	      "             " CONFIG_DEFAULT_PATH "\n"
	      "  --help     this, or with a SUBCOMMAND, its options\n"
	      "  --version  the version\n\n"
	      "More in hookspool(8).\n",
	    out);
}

static void
print_option(const char *name, const char *value, const char *help)
{
	char left[64];

	snprintf(left, sizeof left, "--%s%s%s", name, value != NULL ? " " : "",
	    value != NULL ? value : "");
	printf("  %-20s  %s\n", left, help);
}

static int
print_help(const struct command *command)
{
	const struct option_row *row;

	printf("Usage: hookspool [-c FILE] %s [OPTION...]%s%s\n\n%c%s.\n\n",
	    command->name, *command->operands != '\0' ? " " : "",
	    command->operands, command->summary[0] - 'a' + 'A',
	    command->summary + 1);
	for (row = command->options; row->name != NULL; row++)
		print_option(row->name, row->value, row->help);
	printf("  %-20s  %s\n", "-c FILE", "read this configuration");
	print_option("help", NULL, "print this help");
	return STATUS_FINE;
}

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* ---- options ---- */

enum { LETTER_HELP = 'h', LETTER_CONFIG = 'c', LETTER_VERSION = 'V' };

/* Makes getopt_long's table from ours; rows count from 256. */
static void
fill_table(const struct option_row *rows, struct option *table)
{
	size_t i;

	for (i = 0; rows[i].name != NULL && i < OPTIONS_MAX; i++)
		table[i] = (struct option){.name = rows[i].name,
		    .has_arg =
			rows[i].value != NULL ? required_argument : no_argument,
		    .val = 256 + (int)i};
	table[i++] = (struct option){.name = "help", .val = LETTER_HELP};
	table[i] = (struct option){.name = NULL};
}

/* Returns the word that getopt_long rejected: a letter, else the whole
 * argument. */
static const char *
culprit(char **argv)
{
	static char letter[] = "-x";

	if (optopt <= 0 || optopt >= 256)
		return argv[optind - 1];
	letter[1] = (char)optopt;
	return letter;
}

/* Refuses an extra operand. A URL may hold secrets, so it is not shown
 * whole. */
static int
refuse_operand(const struct call *call, const char *operand)
{
	char *shown = strstr(operand, "://") != NULL
			  ? config_url_shown_dup(operand)
			  : xstrdup(operand);
	int status = command_misuse(
	    call, "\"%s\" is one argument too many; leave it out", shown);

	free(shown);
	return status;
}

static int
check_operands(struct call *call, int count)
{
	const struct command *command = call->command;

	if (count < command->operands_min)
		return command_misuse(call, "%s is missing", command->operands);
	if (command->operands_max >= 0 && count > command->operands_max)
		return refuse_operand(
		    call, call->operands[command->operands_max]);
	return STATUS_FINE;
}

/* Takes an option of the subcommand, or getopt_long's complaint about `word`.
 * Reports only the first fault, but still takes the correct options: they may
 * decide how the fault is reported. */
static void
take_option(struct call *call, int letter, const char *word, struct buf *why)
{
	const char **value = letter < 256 ? NULL : &call->values[letter - 256];

	if (value != NULL && *value == NULL)
		*value = optarg != NULL ? optarg : "";
	else if (why->len > 0)
		return;
	else if (letter == ':')
		buf_add_format(
		    why, "%s has no value; write one after it", word);
	else if (value == NULL && optopt >= 256)
		buf_add_format(why,
		    "--%s has a value but takes none; leave the value out",
		    call->command->options[optopt - 256].name);
	else if (value == NULL)
		buf_add_format(why, "unknown option \"%.*s\"",
		    (int)strcspn(word, "="), word);
	else if (optarg != NULL)
		buf_add_format(why, "--%s is there twice; leave one out",
		    call->command->options[letter - 256].name);
}

/* Reads what follows the subcommand's name. Returns -1 to go on, else the exit
 * status. */
static int
read_options(struct call *call, int argc, char **argv)
{
	struct option table[OPTIONS_MAX + 2];
	int letter, status = STATUS_FINE;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	fill_table(call->command->options, table);
	optind = 0;
	while ((letter = getopt_long(argc, argv, ":c:h", table, NULL)) != -1) {
		if (letter == LETTER_HELP) {
			buf_free(&why);
			return print_help(call->command);
		}
		if (letter == LETTER_CONFIG)
			call->config_option = optarg;
		else
			take_option(call, letter, culprit(argv), &why);
	}
	call->operands = argv + optind;
	if (why.len > 0)
		status = command_misuse(call, "%s", buf_text(&why));
	buf_free(&why);
	if (status == STATUS_FINE)
		status = check_operands(call, argc - optind);
	if (status == STATUS_FINE && call->command->read != NULL)
		status = call->command->read(call);
	return status == STATUS_FINE ? -1 : status;
}

/* Reads the options before the subcommand. Returns -1 to go on, else the exit
 * status. */
static int
read_globals(struct call *call, int argc, char **argv)
{
	static const struct option table[] = {
	    {.name = "help", .val = LETTER_HELP},
	    {.name = "version", .val = LETTER_VERSION}, {.name = NULL}};
	int letter;

	while (
	    (letter = getopt_long(argc, argv, "+:c:hV", table, NULL)) != -1) {
		switch (letter) {
		case LETTER_HELP:
			print_usage(stdout);
			return STATUS_FINE;
		case LETTER_VERSION:
			puts("hookspool " PACKAGE_VERSION);
			return STATUS_FINE;
		case LETTER_CONFIG:
			call->config_option = optarg;
			break;
		default:
			return command_misuse(call, "%s \"%s\"",
			    letter == ':' ? "no value after" : "unknown option",
			    culprit(argv));
		}
	}
	return -1;
}

static int
refuse_name(const struct call *call, const char *name)
{
	const char *nearest = NULL;
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++)
		near_prefer(name, commands[i]->name, &nearest);
	if (nearest == NULL)
		return command_misuse(call, "no subcommand \"%s\"", name);
	return command_misuse(
	    call, "no subcommand \"%s\"; did you mean \"%s\"?", name, nearest);
}

/* Handles `hookspool help SUBCOMMAND`. */
static int
help(const char *name)
{
	const struct command *command;

	if (name == NULL) {
		print_usage(stdout);
		return STATUS_FINE;
	}
	command = find_command(name);
	if (command == NULL)
		return refuse_name(&(struct call){0}, name);
	return print_help(command);
}

/* ---- preparation ---- */

/* Reports why the subcommand cannot run. A relay is often started where nobody
 * sees stderr, so its reason goes to the log. */
static int
refuse(const struct call *call, const char *why)
{
	if (call->command != &command_relay || isatty(STDERR_FILENO))
		return command_refuse(call, "%s", why);
	log_note(
	    LOG_LEVEL_ERROR, "the relay cannot start", LOG_TEXT("reason", why));
	return STATUS_WRONG;
}

static bool
load(struct call *call, struct buf *why)
{
	enum command_needs needs = call->needs;
	bool is_all = needs == NEEDS_CONFIG || needs == NEEDS_ALL;
	char *path = config_find(call->config_option);

	if (site_check_reader(path, why))
		call->config = config_load(
		    path, is_all ? CONFIG_ALL : CONFIG_ENDPOINT, why);
	free(path);
	return call->config != NULL &&
	       owner_become(call->config->spool.path, why);
}

static bool
open_store(struct call *call, struct buf *why)
{
	const struct store_options options =
	    store_options_for(&call->config->spool,
		call->needs == NEEDS_STORE ? STORE_READ : STORE_RELAY);

	return store_open(&options, &call->store, why) == STORE_OK;
}

static bool
prepare(struct call *call, struct buf *why)
{
	switch (call->needs) {
	case NEEDS_NOTHING:
		return true;
	case NEEDS_CONFIG:
	case NEEDS_SPOOL:
		return load(call, why);
	case NEEDS_STORE:
	case NEEDS_CHANGE:
	case NEEDS_ALL:
		return load(call, why) && open_store(call, why);
	}
	return false;
}

/* Records the calling user, before root becomes the spool's owner. Behind sudo,
 * takes the name from sudo. */
static void
note_user(struct call *call)
{
	const char *sudo = getenv("SUDO_USER");
	char *name = sudo != NULL && *sudo != '\0' ? xstrdup(sudo)
						   : user_name_dup(getuid());

	snprintf(call->user, sizeof call->user, "%s", name);
	free(name);
}

static int
run(struct call *call, int argc, char **argv)
{
	struct buf why;
	int status;

	call->needs = call->command->needs;
	note_user(call);
	status = read_options(call, argc, argv);
	if (status >= 0)
		return status;
	buf_init(&why, WHY_MAX_BYTES);
	if (!prepare(call, &why))
		status = refuse(call, buf_text(&why));
	else if (call->filter.destination != NULL &&
		 !names_check(call, call->filter.destination))
		status = STATUS_WRONG;
	else
		status = call->command->run(call);
	buf_free(&why);
	store_close(call->store);
	config_drop(call->config);
	return status;
}

static int
dispatch(int argc, char **argv)
{
	struct call call = {.commands = commands};
	int status = read_globals(&call, argc, argv);

	if (status >= 0)
		return status;
	if (optind >= argc) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (strcmp(argv[0], "help") == 0)
		return help(argv[1]);
	call.command = find_command(argv[0]);
	if (call.command == NULL)
		return refuse_name(&call, argv[0]);
	return run(&call, argc, argv);
}

int
main(int argc, char **argv)
{
	int status;

	environment_restrict();
	setlocale(LC_CTYPE, "");
	signal(SIGXFSZ, SIG_IGN); /* a write beyond ulimit -f then fails */
	log_open("hookspool", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	status = dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail("cannot write the output");
	return status;
}
