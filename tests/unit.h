/*
 * What every cmocka test of ours includes: cmocka and what it needs first.
 */
#ifndef HOOKSPOOL_TESTS_UNIT_H
#define HOOKSPOOL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
