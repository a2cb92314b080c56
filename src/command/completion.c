/*
 * hookspool completion: prints a bash script that completes the command line.
 * Made from the tables of subcommands and options, so always complete.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "spool/spool.h"

static const struct option_row completion_options[] = {{.name = NULL}};

static const char head[] =
    "# Completion of hookspool's subcommands and options for bash, made by\n"
    "# `hookspool completion`.\n"
    "_hookspool()\n"
    "{\n"
    "\tlocal cur prev command='' words='' kind='' i\n"
    "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
    "\tprev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\t# --option=value is three words\n"
    "\tif [[ $cur == '=' ]]; then\n"
    "\t\tcur=''\n"
    "\telif [[ $prev == '=' ]]; then\n"
    "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "\tfi\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t-c) ((i++)) ;;\n"
    "\t\t-* | help) ;;\n"
    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tcase $command in\n";

static const char middle[] = "\tesac\n"
			     "\t[[ $cur == -* ]] && kind=\n"
			     "\tcase $command$prev in\n"
			     "\t*-c) kind=FILE ;;\n";

static const char tail[] =
    "\tcase $kind in\n"
    "\t'') mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
    "\tFILE | FOLDER)\n"
    "\t\tcompopt -o filenames 2>/dev/null\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
    "\tSTATE) mapfile -t COMPREPLY < <(compgen -W \"$states\" -- \"$cur\") ;;\n"
    "\t*) COMPREPLY=() ;;\n"
    "\tesac\n"
    "}\n"
    "complete -F _hookspool hookspool\n";

/* Prints the operands that are typed literally: `list | show NUMBER`. */
static void
print_operand_words(const char *operands)
{
	size_t len;

	for (; *operands != '\0'; operands += len) {
		len = strcspn(operands, " ");
		if (islower((unsigned char)*operands))
			printf("%.*s ", (int)len, operands);
		len += strspn(operands + len, " ");
	}
}

static void
print_command(const struct command *command)
{
	const struct option_row *row;

	printf("\t%s) words='", command->name);
	print_operand_words(command->operands);
	for (row = command->options; row->name != NULL; row++)
		printf("--%s ", row->name);
	fputs("--help -c'", stdout);
	if (strstr(command->operands, "FILE") != NULL)
		fputs(" kind=FILE", stdout);
	puts(" ;;");
}

static void
print_values(const struct command *command)
{
	const struct option_row *row;

	for (row = command->options; row->name != NULL; row++)
		if (row->value != NULL)
			printf("\t%s--%s) kind=%s ;;\n", command->name,
			    row->name, row->value);
}

static void
print_states(void)
{
	enum list_state state;

	fputs("\tlocal states='", stdout);
	for (state = LIST_STATE_NEW; state < LIST_STATE_COUNT; state++)
		printf("%s ", list_state_name(state));
	puts("'");
}

static int
run_completion(struct call *call)
{
	const struct command *const *command;

	fputs(head, stdout);
	fputs("\t'') words='", stdout);
	for (command = call->commands; *command != NULL; command++)
		printf("%s ", (*command)->name);
	puts("help --help --version -c' ;;");
	for (command = call->commands; *command != NULL; command++)
		print_command(*command);
	fputs(middle, stdout);
	for (command = call->commands; *command != NULL; command++)
		print_values(*command);
	puts("\tesac");
	print_states();
	fputs(tail, stdout);
	return STATUS_FINE;
}

const struct command command_completion = {.name = "completion",
    .operands = "",
    .options = completion_options,
    .run = run_completion,
    .summary = "print the completion script for bash"};
