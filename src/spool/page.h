/*
 * What of a page of an SQLite database belongs to nothing (sqlite.org/
 * fileformat2.html, 1.5 and 1.6). Pure. For the files of spool/ only.
 */
#ifndef HOOKSPOOL_PAGE_H
#define HOOKSPOOL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_use {
	PAGE_USED,  /* of a table or an index, or content that overflowed */
	PAGE_TRUNK, /* of the list of free pages */
	PAGE_FREE
};

/* Overwrites with zeros what belongs to nothing in a page of `usable` bytes
 * that are not reserved: between the cells' list and the cells, what cells
 * left behind, what follows the end of the list of free pages; a free page as
 * a whole. Says whether there was anything. A page that is no page of a table
 * or an index, or not a sound one, is left alone. Not for page 1. */
bool page_scrub(uint8_t *page, size_t usable, enum page_use use);

/* A number of two or four bytes, as SQLite stores it. */
uint32_t page_get2(const uint8_t *at);
uint32_t page_get4(const uint8_t *at);

#endif
