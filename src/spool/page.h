/*
 * Finds the unused bytes of a page of an SQLite database (sqlite.org/
 * fileformat2.html, 1.5 and 1.6). Pure. For the files of spool/ only.
 */
#ifndef HOOKSPOOL_PAGE_H
#define HOOKSPOOL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_use {
	PAGE_USED,  /* of a table or an index, or overflow content */
	PAGE_TRUNK, /* of the free list */
	PAGE_FREE
};

/* Overwrites unused bytes with zeros, in a page of `usable` bytes that are not
 * reserved: between the cell pointers and the cells, remains of removed cells,
 * the bytes after the end of the free list's entries; a free page as a whole.
 * Returns whether there were any. Leaves a page alone that is not a sound page
 * of a table or an index. Not for page 1. */
bool page_scrub(uint8_t *page, size_t usable, enum page_use use);

/* Reads a number of two or four bytes, as stored by SQLite. */
uint32_t page_get2(const uint8_t *at);
uint32_t page_get4(const uint8_t *at);

#endif
