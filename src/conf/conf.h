/*
 * The configuration: what the keys of hookspool.conf(5) mean. Knows the
 * sections, their defaults and bounds; refuses what it does not know, naming
 * file, line, the text and the nearest known key. Reads secret files, so
 * that nobody else opens them. Never logs: the caller gets the sentence.
 */
#ifndef HOOKSPOOL_CONF_H
#define HOOKSPOOL_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

/* Where things are unless said otherwise; the folders are the compiler's. */
#define CONFIG_DEFAULT_PATH  SYSCONFDIR "/hookspool.conf"
#define CONFIG_DEFAULT_SPOOL LOCALSTATEDIR "/lib/hookspool"
#define CONFIG_DEFAULT_RELAY BINDIR "/hookspool"

/* What the secret of a destination begins with. */
#define CONFIG_SECRET_PREFIX "whsec_"

struct text_list {
	char **items;
	size_t count;
};

/* [endpoint] */
struct endpoint_config {
	bool is_given;           /* the file has a key of it */
	char *verify_token_file; /* NULL: none; likewise below */
	char *path_key_file;
	struct text_list verify_tokens; /* from verify_token, .._file */
	char *verify_tokens_problem;    /* why there is none to compare with
					   (none configured, unreadable file):
					   GET is 503, POST is captured */
	struct text_list path_keys;     /* empty: any path will do */
	char *path_keys_problem;        /* why they cannot be compared with:
					   every request is 503 */
	struct text_list communities;   /* empty: all */
	size_t max_body_bytes;
	int threads;
	int64_t body_timeout_ms;
	int64_t capture_timeout_ms;
};

/* [spool] */
struct spool_config {
	char *path;         /* absolute */
	bool is_path_given; /* in the file */
	int64_t min_free_bytes;
	int64_t max_size_bytes; /* 0: no limit */
	int64_t retain_ms;
	int64_t retain_dead_ms;
	int64_t retain_refused_ms;
};

/* [relay] */
struct relay_config {
	bool is_on_demand; /* start = on-demand, not never */
	int64_t idle_exit_ms;
	char *program; /* absolute */
};

/* [log] */
struct log_config {
	enum log_target target;
	char *path; /* of LOG_TARGET_FILE */
	enum log_format format;
	enum log_level level;
};

enum destination_order { DESTINATION_ORDER_TICKET, DESTINATION_ORDER_NONE };

/* [destination NAME] */
struct destination_config {
	char *name;
	char *url;                    /* http or https */
	struct text_list events;      /* fnmatch patterns; default * */
	struct text_list communities; /* likewise */
	struct text_list headers;     /* `Name: value`, checked */
	char *secret_file;            /* NULL: none */
	struct text_list secrets;     /* to sign with, from secret and
					 secret_file; empty: not signed */
	int64_t timeout_ms;
	int concurrency;
	enum destination_order order;
	int64_t retry_for_ms;
	char *ca_file;     /* NULL: the system's */
	char *ca_pem;      /* of probe and send: what that file holds */
	char *client_cert; /* NULL: none, nor a client_key */
	char *client_key;
	char *client_cert_pem; /* what these files hold; NULL: no file */
	char *client_key_pem;
	char *proxy; /* http or https, with a port; NULL: none */
	bool allow_private;
};

struct config_file; /* a file that was read, and how it looked then */

struct config {
	char *path; /* the file it is, or stands for; absolute */
	struct endpoint_config endpoint;
	struct spool_config spool;
	struct relay_config relay;
	struct log_config log;
	struct destination_config *destinations;
	size_t destination_count;
	struct text_list destination_names; /* of all sections, also where
					       these are not read */
	char *kept_text;                    /* the lines config_keep writes */
	struct config_file *files;
	size_t file_count;
};

enum config_scope {
	/* For the endpoint: errors in [endpoint], [spool] and [log] count. Of
	 * [relay] what is good is taken; the rest of the file is not read. */
	CONFIG_ENDPOINT,
	CONFIG_ALL
};

/* The last good configuration, in the spool folder. */
#define CONFIG_KEPT_NAME "endpoint.conf"

/* The file to read: `option` (of -c) if not NULL, else HOOKSPOOL_CONF in the
 * environment, else the compiled default. Made absolute. The caller frees. */
char *config_find(const char *option);

/* Reads the file at `path`. NULL if it cannot be read, is readable by others
 * or is not right; then `why` (emptied first) is one sentence with file, line
 * and what to do. The caller frees with config_free. An unreadable secret
 * file of the endpoint is not an error here: see the *_problem fields. */
struct config *config_load(
    const char *path, enum config_scope scope, struct buf *why);

/* The same from memory; `path` is what errors name. */
struct config *config_parse(const char *path, const char *text, size_t len,
    enum config_scope scope, struct buf *why);

/* NULL-safe. */
void config_free(struct config *config);

/* Lets the log of `program` go where [log] says, from its level on. */
void config_open_log(const struct log_config *log, const char *program);

/* Whether any file that was read for it (secret files too) looks different
 * now: device, inode, size, change time, or whether it is there. */
bool config_is_stale(const struct config *config);

/* The last good configuration (design 2): keeps the endpoint's sections in
 * the folder `spool`, synced and renamed into place, only if they differ from
 * what is there. That is its own spool, or one that was in use before: there it
 * leads to its own. False, with `why`, if that failed. */
bool config_keep(
    const struct config *config, const char *spool, struct buf *why);

/* Reads what was kept for the file at `path`, which is bad, or not to be taken
 * up yet: in the spool that this file names, else where config_note_spool says
 * that the spool is, else in the compiled default spool. What was kept for
 * another file does not count. NULL with `why` if there is none. The result
 * watches the file at `path`, so that config_is_stale is true once it was
 * changed. */
struct config *config_load_kept(const char *path, struct buf *why);

/* For when the file cannot be read: leaves a link beside it, its name and
 * `.spool`, to the spool; none where the spool is the compiled default. Done by
 * root, who alone may write there. Nothing depends on it at other times, so a
 * failure is passed over. */
void config_note_spool(const struct config *config);

/* The spool that was noted for the file at `path`; NULL: none was. The caller
 * frees it. */
char *config_noted_spool_dup(const char *path);

/* How long a file has to be left alone before it is taken up. */
#define CONFIG_SETTLE_MS 2000

/* Whether no file that was read for it had changed within CONFIG_SETTLE_MS
 * before `wall_ms` (clock_wall_ms) when it was read. A change in the future, by
 * a clock that was set back, does not count. */
bool config_is_settled(const struct config *config, int64_t wall_ms);

/* The same for the file at `path`, as it is now; true if it is not there. */
bool config_path_is_settled(const char *path, int64_t wall_ms);

/* A URL, right or wrong, as it may be shown to anybody: without user name,
 * password, path and query (`https://crm.example.com:8443/...`). No URL is
 * printed or logged but by this. The caller frees it. */
char *config_url_shown_dup(const char *url);

/* The EventType of the event that `hookspool probe` sends. */
#define CONFIG_PROBE_TYPE "hookspool_probe"

#endif
