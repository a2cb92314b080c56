/*
 * The secret files and certificates of destinations: see credentials.h.
 */
#include "config.h"

#include "conf/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/file.h"
#include "conf/tokens.h"
#include "conf/value.h"

#define PEM_MAX_BYTES (256U << 10)
#define WHY_MAX_BYTES 8192

/* A kind of PEM file: how to read and recognise one. */
struct pem_kind {
	bool (*read)(const char *path, struct buf *bytes,
	    struct config_file *file, struct buf *why);
	const char *begins; /* part of its first line */
	const char *name;
};

static const struct pem_kind certificate = {
    file_read_public, "-----BEGIN CERTIFICATE-----", "certificate"};
static const struct pem_kind private_key = {
    file_read, "PRIVATE KEY-----", "private key"};

/* Each of these reads one file. Returns NULL, or a sentence that says what is
 * wrong, for the caller to free. */

static char *
read_secrets(struct config *config, struct destination_config *destination)
{
	if (destination->secret_file == NULL)
		return NULL;
	return tokens_read_file(config, destination->secret_file,
	    &destination->secrets, value_check_secret);
}

static const char *
check_pem(const char *pem, const struct pem_kind *kind)
{
	if (strstr(pem, kind->begins) == NULL)
		return "is missing in the file; write it as PEM";
	if (strstr(pem, "ENCRYPTED") != NULL)
		return "is encrypted; store it without a passphrase, since "
		       "nobody is there to type one";
	return NULL;
}

static char *
read_pem(struct config *config, const char *path, const struct pem_kind *kind,
    char **pem)
{
	const char *problem = NULL;
	struct config_file *file;
	struct buf bytes, why;
	char *sentence;
	bool is_fine;

	if (path == NULL)
		return NULL;
	config->files = xreallocarray(
	    config->files, config->file_count + 1, sizeof *config->files);
	file = &config->files[config->file_count++];
	buf_init(&bytes, PEM_MAX_BYTES);
	buf_init(&why, WHY_MAX_BYTES);
	if (kind->read(path, &bytes, file, &why))
		problem = check_pem(buf_text(&bytes), kind);
	if (problem != NULL)
		buf_add_format(
		    &why, "%s: the %s %s", path, kind->name, problem);
	is_fine = why.len == 0;
	if (is_fine)
		*pem = xmemdup(buf_text(&bytes), bytes.len);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	sentence = is_fine ? NULL : buf_take(&why);
	buf_free(&why);
	return sentence;
}

static char *
read_certificate(struct config *config, struct destination_config *destination)
{
	return read_pem(config, destination->client_cert, &certificate,
	    &destination->client_cert_pem);
}

static char *
read_key(struct config *config, struct destination_config *destination)
{
	return read_pem(config, destination->client_key, &private_key,
	    &destination->client_key_pem);
}

static const struct {
	const char *key;
	char *(*read)(struct config *, struct destination_config *);
} credentials[] = {{"secret_file", read_secrets},
    {"client_cert", read_certificate}, {"client_key", read_key}};

/* Reads all files of one destination. Returns NULL, or a sentence that also
 * names the key, for the caller to free. */
static char *
read_one(struct config *config, struct destination_config *destination)
{
	char *problem, *sentence;
	size_t i;

	for (i = 0; i < sizeof credentials / sizeof credentials[0]; i++) {
		problem = credentials[i].read(config, destination);
		if (problem == NULL)
			continue;
		sentence =
		    xasprintf("%s: [destination %s] %s: %s", config->path,
			destination->name, credentials[i].key, problem);
		free(problem);
		return sentence;
	}
	return NULL;
}

bool
credentials_read_all(struct config *config, struct buf *why)
{
	char *problem;
	size_t i;

	for (i = 0; i < config->destination_count; i++) {
		problem = read_one(config, &config->destinations[i]);
		if (problem == NULL)
			continue;
		buf_add_text(why, problem);
		free(problem);
		return false;
	}
	return true;
}
