/*
 * Feeds a fuzz target its seeds, one TAP line each: the files in
 * tests/fuzz/seeds/NAME, FUZZ_NAME being the target, or those given as
 * arguments. A property that does not hold aborts, after the file was named.
 */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#include "base/xalloc.h"

/* The limit that libFuzzer has by default is 1 MiB. */
static uint8_t input[1 << 20];

static void
replay(int number, const char *path)
{
	FILE *file = fopen(path, "rb");
	const char *name = strrchr(path, '/');
	uint8_t *copy;
	size_t size;

	name = name != NULL ? name + 1 : path;
	if (file == NULL) {
		printf("not ok %d - %s: cannot be read\n", number, name);
		return;
	}
	size = fread(input, 1, sizeof input, file);
	fclose(file);
	/* Exactly as large as it is, for the sanitizers and valgrind. */
	copy = malloc(size > 0 ? size : 1);
	HOLDS(copy != NULL);
	memcpy(copy, input, size);
	printf("# %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	printf("ok %d - %s\n", number, name);
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
replay_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_seed, alphasort), i;
	char *path;

	if (count <= 0) {
		printf("Bail out! no seeds in %s\n", folder);
		return 1;
	}
	printf("1..%d\n", count);
	for (i = 0; i < count; i++) {
		path = xasprintf("%s/%s", folder, entries[i]->d_name);
		replay(i + 1, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	char *folder;
	int i, status;

	if (argc > 1) {
		printf("1..%d\n", argc - 1);
		for (i = 1; i < argc; i++)
			replay(i, argv[i]);
		return 0;
	}
	folder = xasprintf(
	    "%s/tests/fuzz/seeds/%s", top != NULL ? top : ".", FUZZ_NAME);
	status = replay_folder(folder);
	free(folder);
	return status;
}
