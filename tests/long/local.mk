# The long runs: `make soak`. Their short variants are tests/test_long.py.

check_PROGRAMS += fill route_all sink
fill_SOURCES = %D%/fill.c
fill_CPPFLAGS = $(AM_CPPFLAGS)
fill_LDADD = libhookspool.a $(SQLITE_LIBS)
route_all_SOURCES = %D%/route_all.c
route_all_CPPFLAGS = $(AM_CPPFLAGS)
route_all_LDADD = libhookspool.a $(SQLITE_LIBS)
sink_SOURCES = %D%/sink.c
sink_LDADD = libhookspool.a

soak_tests = %D%/soak_crashes.py %D%/soak_backlog.py \
	%D%/soak_kills.py
EXTRA_DIST += %D%/long_site.py %D%/crashes.py %D%/backlog.py $(soak_tests)

soak: $(bin_PROGRAMS) $(libexec_PROGRAMS) fill route_all sink
	$(AM_TESTS_ENVIRONMENT) status=0; for run in $(soak_tests); do \
		echo "# $$run"; $(PYTHON3) $(srcdir)/$$run || status=1; \
	done; exit $$status
.PHONY: soak
