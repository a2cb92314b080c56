/*
 * The configuration: the meaning of the keys of hookspool.conf(5), with
 * sections, defaults and bounds. Refuses unknown words, naming file, line, the
 * text and the nearest known key. Reads all secret files, so no other module
 * opens them. Never logs: the caller gets the sentence.
 */
#ifndef HOOKSPOOL_CONF_H
#define HOOKSPOOL_CONF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

/* Default places; the folders come from the build. */
#define CONFIG_DEFAULT_PATH  SYSCONFDIR "/hookspool.conf"
#define CONFIG_DEFAULT_SPOOL LOCALSTATEDIR "/lib/hookspool"
#define CONFIG_DEFAULT_RELAY BINDIR "/hookspool"

/* Prefix of every secret of a destination. */
#define CONFIG_SECRET_PREFIX "whsec_"

struct text_list {
	char **items;
	size_t count;
};

/* [endpoint] */
struct endpoint_config {
	bool is_given;           /* the file has a key of this section */
	char *verify_token_file; /* NULL: none; also below */
	char *path_key_file;
	struct text_list verify_tokens; /* from verify_token and
					   verify_token_file */
	char *verify_tokens_problem;    /* why no token can be compared (none
					   configured, unreadable file): GET
					   is answered 503, POST is captured */
	struct text_list path_keys;     /* empty: any path */
	char *path_keys_problem;        /* why no key can be compared: every
					   request is answered 503 */
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
	char *path; /* for LOG_TARGET_FILE */
	enum log_format format;
	enum log_level level;
};

enum destination_order { DESTINATION_ORDER_TICKET, DESTINATION_ORDER_NONE };

/* [destination NAME] */
struct destination_config {
	char *name;
	char *url;                    /* http or https */
	struct text_list events;      /* fnmatch patterns; default * */
	struct text_list communities; /* also patterns */
	struct text_list headers;     /* `Name: value`, checked */
	char *secret_file;            /* NULL: none */
	struct text_list secrets;     /* signing keys, from secret and
					 secret_file; empty: unsigned */
	int64_t timeout_ms;
	int concurrency;
	enum destination_order order;
	int64_t retry_for_ms;
	char *ca_file;     /* NULL: the system's */
	char *ca_pem;      /* contents of ca_file; for probe and send */
	char *client_cert; /* NULL: none; client_key is NULL too */
	char *client_key;
	char *client_cert_pem; /* contents of the two files; NULL: no file */
	char *client_key_pem;
	char *proxy; /* http or https, with a port; NULL: none */
	bool allow_private;
};

struct config_file; /* a file that was read, and its state then */

struct config {
	atomic_size_t more_users; /* besides its maker */
	char *path; /* of the file, also when the last good one is used;
		       absolute */
	struct endpoint_config endpoint;
	struct spool_config spool;
	struct relay_config relay;
	struct log_config log;
	struct destination_config *destinations;
	size_t destination_count;
	struct text_list destination_names; /* of all sections, even where
					       destinations are not read */
	char *kept_text;                    /* the lines that config_keep
					       writes */
	struct config_file *files;
	size_t file_count;
};

enum config_scope {
	/* For the endpoint: only errors in [endpoint], [spool] and [log] count.
	 * Takes the good keys of [relay]; does not read the rest of the
	 * file. */
	CONFIG_ENDPOINT,
	CONFIG_ALL
};

/* Name of the last good configuration in the spool folder. */
#define CONFIG_KEPT_NAME "endpoint.conf"

/* Returns the path of the file to read, made absolute: `option` (of -c) if not
 * NULL, else HOOKSPOOL_CONF in the environment, else the compiled default. The
 * caller frees the path. */
char *config_find(const char *option);

/* Reads the file at `path`. Returns NULL if the file is unreadable, readable by
 * others or not right; `why` (emptied first) is one sentence with file, line
 * and fix. The caller ends with config_drop. An unreadable secret file of the
 * endpoint is no error here: see the *_problem fields. */
struct config *config_load(
    const char *path, enum config_scope scope, struct buf *why);

/* Reads a configuration from memory, like config_load. Errors name `path`. */
struct config *config_parse(const char *path, const char *text, size_t len,
    enum config_scope scope, struct buf *why);

/* Adds and removes a user; the last one removed frees the configuration.
 * Thread-safe. config_hold returns `config`; config_drop is NULL-safe. */
const struct config *config_hold(const struct config *config);
void config_drop(const struct config *config);

/* Directs the log of `program` to the target, format and level of [log]. */
void config_open_log(const struct log_config *log, const char *program);

/* Returns whether any file read for `config`, secret files included, has
 * changed: its device, inode, size, mode, change time or existence. */
bool config_is_stale(const struct config *config);

/* Keeps the endpoint's sections as the last good configuration (design 2) in
 * the folder `spool`: synced and renamed into place, only if different from the
 * kept ones. `spool` is this configuration's own spool, or one used before,
 * where the kept file then points to the new spool. Returns false with `why` on
 * failure. */
bool config_keep(
    const struct config *config, const char *spool, struct buf *why);

/* Reads the last good configuration for the file at `path`, which is bad or too
 * fresh to use. Looks in the spool that the bad file names, else in the one
 * noted by config_note_spool, else in the compiled default. Ignores what was
 * kept for another file. Returns NULL with `why` if there is none. The result
 * watches the file at `path`: config_is_stale is true once that file
 * changes. */
struct config *config_load_kept(const char *path, struct buf *why);

/* Links to the spool from beside the file, under the file's name and `.spool`,
 * for the time when the file is unreadable; makes no link for the compiled
 * default. Run by root, the only user with write permission there. Ignores
 * failures, since only config_load_kept uses the link. */
void config_note_spool(const struct config *config);

/* Returns the spool noted for the file at `path`, for the caller to free; NULL:
 * none. */
char *config_noted_spool_dup(const char *path);

/* How long a file must stay unchanged before its use. */
#define CONFIG_SETTLE_MS 2000

/* Returns whether no file read for `config` had changed within CONFIG_SETTLE_MS
 * before `wall_ms` (clock_wall_ms), as of reading. Ignores changes in the
 * future, left by a clock that was set back. */
bool config_is_settled(const struct config *config, int64_t wall_ms);

/* Returns the same for the file at `path` now; true if missing. */
bool config_path_is_settled(const char *path, int64_t wall_ms);

/* Returns a URL, valid or not, without user name, password, path and query
 * (`https://crm.example.com:8443/...`), for the caller to free. Every URL
 * printed or logged passes here first. */
char *config_url_shown_dup(const char *url);

/* The EventType of the event that `hookspool probe` sends. */
#define CONFIG_PROBE_TYPE "hookspool_probe"

#endif
