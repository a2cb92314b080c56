/*
 * What erasing ends with: nothing that was erased is left in the files.
 */
#include "config.h"

#include "spool/store_internal.h"

enum store_status
scrub_files(struct store *store, int64_t deadline_ms)
{
	return store_checkpoint(store, deadline_ms);
}
