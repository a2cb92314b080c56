# The fuzz targets. `make check` feeds each its seeds; `make fuzz`, configured
# with CC=clang, lets libFuzzer run each for FUZZ_SECONDS.

FUZZ_SECONDS = 60
FUZZ_CFLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
fuzz_targets = json event mention verify ini config

EXTRA_DIST += %D%/fuzz.h %D%/oracle.h %D%/seeds

fuzz_seed_tests = fuzz_json fuzz_event fuzz_mention fuzz_verify fuzz_ini \
	fuzz_config
check_PROGRAMS += $(fuzz_seed_tests)
TESTS += $(fuzz_seed_tests)
sanitized_tests += $(fuzz_seed_tests)

fuzz_json_SOURCES = %D%/fuzz_json.c %D%/replay.c
fuzz_json_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"json"'
fuzz_json_LDADD = libhookspool.a $(JSON_LIBS)
fuzz_event_SOURCES = %D%/fuzz_event.c %D%/replay.c
fuzz_event_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"event"'
fuzz_event_LDADD = libhookspool.a $(JSON_LIBS)
fuzz_mention_SOURCES = %D%/fuzz_mention.c %D%/replay.c
fuzz_mention_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"mention"'
fuzz_mention_LDADD = libhookspool.a $(JSON_LIBS)
fuzz_verify_SOURCES = %D%/fuzz_verify.c %D%/replay.c
fuzz_verify_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"verify"'
fuzz_verify_LDADD = libhookspool.a
fuzz_ini_SOURCES = %D%/fuzz_ini.c %D%/replay.c
fuzz_ini_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"ini"'
fuzz_ini_LDADD = libhookspool.a
fuzz_config_SOURCES = %D%/fuzz_config.c %D%/replay.c
fuzz_config_CPPFLAGS = $(unit_cppflags) -DFUZZ_NAME='"config"'
fuzz_config_LDADD = libhookspool.a

# The same sources, built for libFuzzer. What it finds new goes to
# fuzz-corpus/NAME in the build folder, what breaks a property to fuzz-NAME-crash-*.
EXTRA_LIBRARIES = libfuzzed.a
libfuzzed_a_SOURCES = $(libhookspool_a_SOURCES)
libfuzzed_a_CPPFLAGS = $(libhookspool_a_CPPFLAGS)
libfuzzed_a_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link

libfuzzer_programs = libfuzzer_json libfuzzer_event libfuzzer_mention \
	libfuzzer_verify libfuzzer_ini libfuzzer_config
EXTRA_PROGRAMS = $(libfuzzer_programs)
CLEANFILES += libfuzzed.a $(libfuzzer_programs)
libfuzzer_cflags = $(AM_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer

libfuzzer_json_SOURCES = %D%/fuzz_json.c
libfuzzer_json_CPPFLAGS = $(unit_cppflags)
libfuzzer_json_CFLAGS = $(libfuzzer_cflags)
libfuzzer_json_LDADD = libfuzzed.a $(JSON_LIBS)
libfuzzer_event_SOURCES = %D%/fuzz_event.c
libfuzzer_event_CPPFLAGS = $(unit_cppflags)
libfuzzer_event_CFLAGS = $(libfuzzer_cflags)
libfuzzer_event_LDADD = libfuzzed.a $(JSON_LIBS)
libfuzzer_mention_SOURCES = %D%/fuzz_mention.c
libfuzzer_mention_CPPFLAGS = $(unit_cppflags)
libfuzzer_mention_CFLAGS = $(libfuzzer_cflags)
libfuzzer_mention_LDADD = libfuzzed.a $(JSON_LIBS)
libfuzzer_verify_SOURCES = %D%/fuzz_verify.c
libfuzzer_verify_CPPFLAGS = $(unit_cppflags)
libfuzzer_verify_CFLAGS = $(libfuzzer_cflags)
libfuzzer_verify_LDADD = libfuzzed.a
libfuzzer_ini_SOURCES = %D%/fuzz_ini.c
libfuzzer_ini_CPPFLAGS = $(unit_cppflags)
libfuzzer_ini_CFLAGS = $(libfuzzer_cflags)
libfuzzer_ini_LDADD = libfuzzed.a
libfuzzer_config_SOURCES = %D%/fuzz_config.c
libfuzzer_config_CPPFLAGS = $(unit_cppflags)
libfuzzer_config_CFLAGS = $(libfuzzer_cflags)
libfuzzer_config_LDADD = libfuzzed.a

.PHONY: fuzz
fuzz: fuzz-compiler
	$(MAKE) $(AM_MAKEFLAGS) $(libfuzzer_programs)
	@for name in $(fuzz_targets); do \
	  echo "fuzz: $$name for $(FUZZ_SECONDS) s"; \
	  $(MKDIR_P) fuzz-corpus/$$name || exit; \
	  ./libfuzzer_$$name -max_total_time=$(FUZZ_SECONDS) -max_len=16384 \
	    -timeout=5 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=fuzz-$$name- fuzz-corpus/$$name \
	    $(srcdir)/%D%/seeds/$$name || exit; \
	done

.PHONY: fuzz-compiler
fuzz-compiler:
	@$(CC) --version | grep clang >/dev/null || { \
	  echo "make fuzz needs clang: configure CC=clang" >&2; exit 1; }

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf fuzz-corpus
