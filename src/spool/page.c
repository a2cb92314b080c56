/*
 * Unused bytes in pages: see page.h. SQLite's secure_delete overwrites a
 * deleted cell, but leaves the old copies of cells moved from one page to
 * another to balance the tree.
 */
#include "config.h"

#include "spool/page.h"

#include <string.h>

#define FREE_BLOCK_HEADER 4
#define TRUNK_HEADER      8

uint32_t
page_get2(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

uint32_t
page_get4(const uint8_t *at)
{
	return page_get2(at) << 16 | page_get2(at + 2);
}

/* Returns whether there was anything but zeros. */
static bool
clear(uint8_t *at, size_t len)
{
	if (len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0))
		return false;
	memset(at, 0, len);
	return true;
}

/* Returns the header's length in a page of this kind; 0: not of a tree. */
static size_t
header_bytes(uint8_t kind)
{
	switch (kind) {
	case 2: /* inner page of an index, of a table */
	case 5:
		return 12;
	case 10: /* leaf of an index, of a table */
	case 13:
		return 8;
	default:
		return 0;
	}
}

/* Returns whether the free blocks are in order, within the cells' part. */
static bool
are_blocks_sound(const uint8_t *page, size_t usable, size_t cells)
{
	size_t at = page_get2(page + 1), least = cells, size;

	for (; at != 0; at = page_get2(page + at)) {
		if (at < least || at + FREE_BLOCK_HEADER > usable)
			return false;
		size = page_get2(page + at + 2);
		if (size < FREE_BLOCK_HEADER || at + size > usable)
			return false;
		least = at + size;
	}
	return true;
}

static bool
scrub_tree(uint8_t *page, size_t usable)
{
	size_t gap = header_bytes(page[0]), cells = page_get2(page + 5), at;
	bool is_changed;

	if (gap == 0)
		return false;
	gap += 2 * page_get2(page + 3);
	if (cells == 0)
		cells = 65536;
	if (gap > cells || cells > usable ||
	    !are_blocks_sound(page, usable, cells))
		return false;
	is_changed = clear(page + gap, cells - gap);
	for (at = page_get2(page + 1); at != 0; at = page_get2(page + at))
		is_changed |= clear(page + at + FREE_BLOCK_HEADER,
		    page_get2(page + at + 2) - FREE_BLOCK_HEADER);
	return is_changed;
}

static bool
scrub_trunk(uint8_t *page, size_t usable)
{
	size_t end = TRUNK_HEADER + 4 * (size_t)page_get4(page + 4);

	return end <= usable && clear(page + end, usable - end);
}

bool
page_scrub(uint8_t *page, size_t usable, enum page_use use)
{
	switch (use) {
	case PAGE_USED:
		return scrub_tree(page, usable);
	case PAGE_TRUNK:
		return scrub_trunk(page, usable);
	case PAGE_FREE:
		return clear(page, usable);
	}
	return false;
}
