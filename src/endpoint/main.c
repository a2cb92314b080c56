/*
 * hookspool.fcgi, the endpoint: FastCGI if descriptor 0 is a listening socket,
 * plain CGI if the environment is a request's. Opens no network connection.
 */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "web/cgi.h"
#include "endpoint/request.h"
#include "endpoint/server.h"
#include "endpoint/settings.h"
#include "wake/starter.h"

#define EXIT_USAGE 2

static const char usage[] =
    "usage: hookspool.fcgi [-c FILE]\n"
    "       hookspool.fcgi --help | --version\n"
    "\n"
    "The webhook endpoint of hookspool. A web server starts it, as FastCGI or\n"
    "CGI; it is of no use in a terminal. See hookspool.fcgi(8), and for "
    "trying\n"
    "it by hand its EXAMPLES.\n"
    "\n"
    "  -c, --config FILE  the configuration, instead of $HOOKSPOOL_CONF or\n"
    "                     " CONFIG_DEFAULT_PATH "\n";

/* Opens missing descriptors up to 2. A FastCGI process may get descriptor 0
 * alone (FastCGI specification, 2.2), and files opened later must not become
 * standard output or error. */
static void
fill_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static bool
is_listening(int fd)
{
	int listens = 0;
	socklen_t len = sizeof listens;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       listens != 0;
}

/* Returns the argument of -c, or NULL. Not for CGI, where strangers may write
 * the arguments. */
static const char *
read_arguments(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("hookspool.fcgi " PACKAGE_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(EXIT_USAGE);
		}
	}
	if (optind == argc)
		return path;
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

static int
serve_fastcgi(const char *config_path)
{
	struct settings *settings = settings_new(config_path);
	struct settings_view view;
	struct starter *starter;
	int status;

	settings_take(settings, &view);
	starter = starter_start(
	    config_path, view.config != NULL ? &view.config->log : NULL);
	settings_release(settings, &view);
	settings_open_store(settings);
	status = server_run(STDIN_FILENO, settings, starter);
	settings_free(settings);
	starter_stop(starter);
	return status;
}

/* Answers one request. Starts the relay last, when no open file is left to
 * inherit. */
static int
serve_cgi(const char *config_path)
{
	struct settings *settings = settings_new(config_path);
	struct exchange exchange = cgi_exchange();
	struct settings_view view;
	struct answer answer;
	bool is_captured;

	/* Web servers send SIGTERM after reading the whole answer, but the
	 * relay is started later. */
	signal(SIGTERM, SIG_IGN);
	answer_init(&answer);
	settings_take(settings, &view);
	is_captured = request_handle(&exchange, &view, &answer);
	cgi_answer(&answer);
	answer_free(&answer);
	settings_release(settings, &view);
	settings_close_store(settings);
	settings_take(settings, &view);
	if (is_captured)
		starter_wake_alone(view.config, config_path);
	settings_release(settings, &view);
	settings_free(settings);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *option = NULL;
	char *config_path;
	int status;

	fill_descriptors();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond ulimit -f then fails */
	umask(0007);
	log_open("hookspool.fcgi", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	if (!cgi_is_request())
		option = read_arguments(argc, argv);
	if (!cgi_is_request() && !is_listening(STDIN_FILENO)) {
		fputs("hookspool.fcgi: descriptor 0 is no listening socket, "
		      "and this is no CGI request\n",
		    stderr);
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config_path = config_find(option);
	status = is_listening(STDIN_FILENO) ? serve_fastcgi(config_path)
					    : serve_cgi(config_path);
	free(config_path);
	return status;
}
