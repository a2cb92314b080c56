/*
 * What the fuzz targets share. A target is one function: libFuzzer drives it
 * under `make fuzz`, replay.c feeds it the seeds under `make check`.
 */
#ifndef HOOKSPOOL_TESTS_FUZZ_H
#define HOOKSPOOL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Judges one input: returns 0, or aborts where a property does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                       \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

__attribute__((noreturn)) static inline void
fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

#endif
