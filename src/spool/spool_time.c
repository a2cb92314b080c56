/*
 * The spool's time: what is waited for is kept in it, since the wall clock may
 * be set. In one boot it is CLOCK_BOOTTIME and a number that never changes, so
 * that all processes have the same and no step of the wall clock moves it. Over
 * a boot it goes on by what the wall clock says has passed since it was noted
 * last, and never back.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/tx.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 37   /* with a NUL */
#define STEP_MIN_MS  1000 /* less is no step */

/* Of `progress`. */
struct noted {
	bool is_there; /* else the spool is new, or was of version 1 */
	char boot_id[BOOT_ID_SIZE];
	int64_t
	    base_ms;   /* the spool's time less CLOCK_BOOTTIME, in that boot */
	int64_t at_ms; /* the spool's time when this was noted */
	int64_t ahead_ms; /* of the wall clock, then */
	int64_t stepped_at_ms;
};

/* "" where it cannot be told: then every open is a boot of its own. */
static void
read_boot_id(char *id)
{
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, id, BOOT_ID_SIZE - 1);
		close(fd);
	}
	id[len > 0 ? len : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

static void
read_noted(struct tx *tx, struct noted *noted)
{
	*noted = (struct noted){.is_there = false};
	if (!tx_get(tx,
		"SELECT boot_id IS NOT NULL, boot_id, boot_base_ms, "
		"noted_at_ms, ahead_ms, stepped_at_ms FROM progress",
		&noted->is_there,
		sql_text_to(noted->boot_id, sizeof noted->boot_id),
		&noted->base_ms, &noted->at_ms, &noted->ahead_ms,
		&noted->stepped_at_ms))
		tx_fail(tx, STORE_FAILED);
}

/* Another boot: goes on from what was noted. */
static void
begin_boot(struct noted *noted, const char *boot_id)
{
	int64_t wall_ms = clock_wall_ms(), passed_ms = 0;

	if (!noted->is_there)
		noted->at_ms = wall_ms;
	else
		passed_ms = wall_ms - (noted->at_ms - noted->ahead_ms);
	if (passed_ms < 0) /* the clock is behind */
		noted->stepped_at_ms = noted->at_ms;
	else
		noted->at_ms += passed_ms;
	noted->is_there = true;
	noted->base_ms = noted->at_ms - clock_boot_ms();
	noted->ahead_ms = noted->at_ms - wall_ms;
	memcpy(noted->boot_id, boot_id, strlen(boot_id) + 1);
}

static bool
is_this_boot(const struct noted *noted, const char *boot_id)
{
	return noted->is_there && boot_id[0] != '\0' &&
	       strcmp(noted->boot_id, boot_id) == 0;
}

static void
write_noted(struct tx *tx, const struct noted *noted)
{
	tx_run(tx,
	    "UPDATE progress SET boot_id = ?1, boot_base_ms = ?2, "
	    "noted_at_ms = ?3, ahead_ms = ?4, stepped_at_ms = ?5",
	    sql_text(noted->boot_id), noted->base_ms, noted->at_ms,
	    noted->ahead_ms, noted->stepped_at_ms);
}

/* Begins the boot, unless another process has begun it meanwhile. */
static enum store_status
begin_for_all(struct store *store, struct noted *noted, const char *boot_id)
{
	struct tx tx = tx_begin(store);

	read_noted(&tx, noted);
	if (!is_this_boot(noted, boot_id)) {
		begin_boot(noted, boot_id);
		write_noted(&tx, noted);
	}
	return tx_end(&tx);
}

static void
keep(struct store *store, const struct noted *noted)
{
	store->base_ms = noted->base_ms;
	store->noted_at_ms = noted->at_ms;
	store->ahead_ms = noted->ahead_ms;
	store->stepped_at_ms = noted->stepped_at_ms;
}

enum store_status
spool_time_open(struct store *store)
{
	char boot_id[BOOT_ID_SIZE];
	struct tx tx = tx_none(store);
	struct noted noted;
	enum store_status status;

	read_noted(&tx, &noted);
	status = tx_end(&tx);
	read_boot_id(boot_id);
	if (status == STORE_OK && !is_this_boot(&noted, boot_id)) {
		if (store->access == STORE_RELAY)
			status = begin_for_all(store, &noted, boot_id);
		else
			begin_boot(&noted, boot_id);
	}
	if (status == STORE_OK)
		keep(store, &noted);
	return status;
}

int64_t
store_now_ms(const struct store *store)
{
	return clock_boot_ms() + store->base_ms;
}

int64_t
store_shown_ms(const struct store *store, int64_t at_ms)
{
	if (at_ms == 0 || at_ms == INT64_MAX)
		return at_ms;
	return at_ms - (store_now_ms(store) - clock_wall_ms());
}

enum store_status
store_note_clock(struct store *store, int64_t every_ms, int64_t *step_ms)
{
	int64_t now_ms = store_now_ms(store);
	struct noted noted;
	struct tx tx;

	*step_ms = store->ahead_ms - (now_ms - clock_wall_ms());
	if (*step_ms > -STEP_MIN_MS && *step_ms < STEP_MIN_MS)
		*step_ms = 0;
	if (*step_ms == 0 && now_ms - store->noted_at_ms < every_ms)
		return STORE_OK;
	tx = tx_begin(store);
	read_noted(&tx, &noted);
	noted.at_ms = now_ms;
	noted.ahead_ms = now_ms - clock_wall_ms();
	if (*step_ms != 0)
		noted.stepped_at_ms = now_ms;
	write_noted(&tx, &noted);
	if (tx_end(&tx) == STORE_OK)
		keep(store, &noted);
	return tx.status;
}
