# Every test speaks TAP. Unit tests (cmocka) are tests/test_MODULE.c; the
# others are tests/NAME.py on tests/harness.py, or shell.

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;
TEST_EXTENSIONS = .py .sh
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(PYTHON3)
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)

unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JSON_CFLAGS) \
	$(SQLITE_CFLAGS) $(CURL_CFLAGS) $(FCGI_CFLAGS)
unit_ldadd = libhookspool.a $(CMOCKA_LIBS) $(JSON_LIBS) $(SQLITE_LIBS)

unit_tests = test_base test_log

python_tests = %D%/test_house.py %D%/test_quickstart.py

# What `./quickstart check` runs once more, beside the unit tests, under ASan
# and UBSan, and under TSan.
sanitized_tests = %D%/test_house.py %D%/test_quickstart.py
threaded_tests = %D%/test_quickstart.py

EXTRA_DIST += %D%/unit.h %D%/harness.py %D%/webserver.py \
	%D%/quickstart/check.sh %D%/quickstart/demo_destination.py \
	%D%/quickstart/show.py

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

if HAVE_PYTHON3
TESTS += $(python_tests)
endif
EXTRA_DIST += $(python_tests)

test_base_SOURCES = %D%/test_base.c
test_base_CPPFLAGS = $(unit_cppflags)
test_base_LDADD = $(unit_ldadd)
test_log_SOURCES = %D%/test_log.c
test_log_CPPFLAGS = $(unit_cppflags)
test_log_LDADD = $(unit_ldadd)

# event/ and endpoint/verify
unit_tests += test_json test_cursor test_event test_event_ids test_verify
EXTRA_DIST += %D%/event_unit.h %D%/repeat.h \
	%D%/data/note_deletion.json %D%/data/ticket_status_change.json \
	%D%/data/schema_1.sql
test_json_SOURCES = %D%/test_json.c
test_json_CPPFLAGS = $(unit_cppflags)
test_json_LDADD = $(unit_ldadd)
test_cursor_SOURCES = %D%/test_cursor.c
test_cursor_CPPFLAGS = $(unit_cppflags)
test_cursor_LDADD = $(unit_ldadd)
test_event_SOURCES = %D%/test_event.c
test_event_CPPFLAGS = $(unit_cppflags)
test_event_LDADD = $(unit_ldadd)
test_event_ids_SOURCES = %D%/test_event_ids.c
test_event_ids_CPPFLAGS = $(unit_cppflags)
test_event_ids_LDADD = $(unit_ldadd)
test_verify_SOURCES = %D%/test_verify.c
test_verify_CPPFLAGS = $(unit_cppflags)
test_verify_LDADD = $(unit_ldadd)
include %D%/fuzz/local.mk
# relay/
unit_tests += test_guard test_health test_schedule test_sign
test_guard_SOURCES = %D%/test_guard.c
test_guard_CPPFLAGS = $(unit_cppflags)
test_guard_LDADD = $(unit_ldadd)
test_health_SOURCES = %D%/test_health.c
test_health_CPPFLAGS = $(unit_cppflags)
test_health_LDADD = $(unit_ldadd)
test_schedule_SOURCES = %D%/test_schedule.c
test_schedule_CPPFLAGS = $(unit_cppflags)
test_schedule_LDADD = $(unit_ldadd)
test_sign_SOURCES = %D%/test_sign.c
test_sign_CPPFLAGS = $(unit_cppflags)
test_sign_LDADD = $(unit_ldadd) $(CRYPTO_LIBS)
relay_tests = %D%/test_relay.py %D%/test_exit.py %D%/test_signatures.py \
	%D%/test_relay_process.py %D%/test_relay_crash.py \
	%D%/test_relay_down.py %D%/test_relay_order.py \
	%D%/test_relay_rejects.py \
	%D%/test_relay_reload.py %D%/test_restart.py
python_tests += $(relay_tests) %D%/test_relay_clock.py
sanitized_tests += $(relay_tests)
EXTRA_DIST += %D%/destination.py %D%/proxy.py %D%/set_clock.c \
	%D%/relay_site.py \
	%D%/npm/package.json %D%/npm/package-lock.json %D%/npm/receiver.js

# Where test_signatures.py has npm install what it needs.
clean-local: clean-npm
clean-npm:
	rm -rf npm
.PHONY: clean-npm
# spool/
threaded_tests += test_capture test_recover
unit_tests += test_access test_store test_capture test_recover test_refuse \
	test_trial \
	test_wake
spool_fixture = %D%/spool_fixture.c %D%/spool_fixture.h
test_access_SOURCES = %D%/test_access.c $(spool_fixture)
test_access_CPPFLAGS = $(unit_cppflags)
test_access_LDADD = $(unit_ldadd)
test_store_SOURCES = %D%/test_store.c $(spool_fixture)
test_store_CPPFLAGS = $(unit_cppflags)
test_store_LDADD = $(unit_ldadd)
test_capture_SOURCES = %D%/test_capture.c $(spool_fixture)
test_capture_CPPFLAGS = $(unit_cppflags)
test_capture_LDADD = $(unit_ldadd)
test_refuse_SOURCES = %D%/test_refuse.c $(spool_fixture)
test_refuse_CPPFLAGS = $(unit_cppflags)
test_refuse_LDADD = $(unit_ldadd)
test_recover_SOURCES = %D%/test_recover.c $(spool_fixture)
test_recover_CPPFLAGS = $(unit_cppflags)
test_recover_LDADD = $(unit_ldadd)
test_trial_SOURCES = %D%/test_trial.c $(spool_fixture)
test_trial_CPPFLAGS = $(unit_cppflags)
test_trial_LDADD = $(unit_ldadd)
test_wake_SOURCES = %D%/test_wake.c
test_wake_CPPFLAGS = $(unit_cppflags)
test_wake_LDADD = $(unit_ldadd)
python_tests += %D%/test_spool_faults.py
check_PROGRAMS += capture_tool
capture_tool_SOURCES = %D%/capture_tool.c
capture_tool_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
capture_tool_LDADD = libhookspool.a $(SQLITE_LIBS)

# spool/: what becomes of an event
unit_tests += test_tx test_lane test_probes test_spool_time test_hold test_change test_order test_plans
unit_tests += test_bodies test_work test_route test_settle test_list test_query test_erase
delivery_fixture = $(spool_fixture) \
	%D%/delivery_fixture.c %D%/delivery_fixture.h
test_spool_time_SOURCES = %D%/test_spool_time.c $(delivery_fixture)
test_spool_time_CPPFLAGS = $(unit_cppflags)
test_spool_time_LDADD = $(unit_ldadd)
test_probes_SOURCES = %D%/test_probes.c $(delivery_fixture)
test_probes_CPPFLAGS = $(unit_cppflags)
test_probes_LDADD = $(unit_ldadd)
test_tx_SOURCES = %D%/test_tx.c $(delivery_fixture)
test_tx_CPPFLAGS = $(unit_cppflags)
test_tx_LDADD = $(unit_ldadd)
test_lane_SOURCES = %D%/test_lane.c $(delivery_fixture)
test_lane_CPPFLAGS = $(unit_cppflags)
test_lane_LDADD = $(unit_ldadd)
test_hold_SOURCES = %D%/test_hold.c $(delivery_fixture)
test_hold_CPPFLAGS = $(unit_cppflags)
test_hold_LDADD = $(unit_ldadd)
test_change_SOURCES = %D%/test_change.c $(delivery_fixture)
test_change_CPPFLAGS = $(unit_cppflags)
test_change_LDADD = $(unit_ldadd)
test_order_SOURCES = %D%/test_order.c $(delivery_fixture)
test_order_CPPFLAGS = $(unit_cppflags)
test_order_LDADD = $(unit_ldadd)
test_plans_SOURCES = %D%/test_plans.c $(delivery_fixture)
test_plans_CPPFLAGS = $(unit_cppflags)
test_plans_LDADD = $(unit_ldadd)
test_bodies_SOURCES = %D%/test_bodies.c $(delivery_fixture)
test_bodies_CPPFLAGS = $(unit_cppflags)
test_bodies_LDADD = $(unit_ldadd)
test_work_SOURCES = %D%/test_work.c $(delivery_fixture)
test_work_CPPFLAGS = $(unit_cppflags)
test_work_LDADD = $(unit_ldadd) $(CURL_LIBS) $(CRYPTO_LIBS)
test_route_SOURCES = %D%/test_route.c $(delivery_fixture)
test_route_CPPFLAGS = $(unit_cppflags)
test_route_LDADD = $(unit_ldadd)
test_settle_SOURCES = %D%/test_settle.c $(delivery_fixture)
test_settle_CPPFLAGS = $(unit_cppflags)
test_settle_LDADD = $(unit_ldadd)
test_list_SOURCES = %D%/test_list.c $(delivery_fixture)
test_list_CPPFLAGS = $(unit_cppflags)
test_list_LDADD = $(unit_ldadd)
test_query_SOURCES = %D%/test_query.c $(delivery_fixture)
test_query_CPPFLAGS = $(unit_cppflags)
test_query_LDADD = $(unit_ldadd)
test_erase_SOURCES = %D%/test_erase.c $(delivery_fixture)
test_erase_CPPFLAGS = $(unit_cppflags)
test_erase_LDADD = $(unit_ldadd)

unit_tests += test_forget
test_forget_SOURCES = %D%/test_forget.c $(delivery_fixture)
test_forget_CPPFLAGS = $(unit_cppflags)
test_forget_LDADD = $(unit_ldadd)

# spool/: erasing on request, copies, refused bodies
unit_tests += test_mention test_erasure test_copies test_scrub test_erase_load
unit_tests += test_restore
test_mention_SOURCES = %D%/test_mention.c
test_mention_CPPFLAGS = $(unit_cppflags)
test_mention_LDADD = $(unit_ldadd)
test_erasure_SOURCES = %D%/test_erasure.c $(delivery_fixture)
test_erasure_CPPFLAGS = $(unit_cppflags)
test_erasure_LDADD = $(unit_ldadd)
test_copies_SOURCES = %D%/test_copies.c $(delivery_fixture)
test_copies_CPPFLAGS = $(unit_cppflags)
test_copies_LDADD = $(unit_ldadd)
test_restore_SOURCES = %D%/test_restore.c $(delivery_fixture)
test_restore_CPPFLAGS = $(unit_cppflags)
test_restore_LDADD = $(unit_ldadd)
test_scrub_SOURCES = %D%/test_scrub.c $(delivery_fixture)
test_scrub_CPPFLAGS = $(unit_cppflags)
test_scrub_LDADD = $(unit_ldadd)
test_erase_load_SOURCES = %D%/test_erase_load.c $(delivery_fixture)
test_erase_load_CPPFLAGS = $(unit_cppflags)
test_erase_load_LDADD = $(unit_ldadd)

# endpoint/
endpoint_tests = %D%/test_endpoint.py %D%/test_half_saved.py \
	%D%/test_http.py %D%/test_starter.py %D%/test_held_up.py
python_tests += $(endpoint_tests) %D%/test_memory.py %D%/test_valgrind.py
sanitized_tests += $(endpoint_tests)
threaded_tests += $(endpoint_tests)
EXTRA_DIST += %D%/fastcgi.py
check_PROGRAMS += make_spool
make_spool_SOURCES = %D%/make_spool.c
make_spool_LDADD = libhookspool.a $(JSON_LIBS) $(SQLITE_LIBS)

# command/: what changes and judges
operate_tests = %D%/test_operate.py %D%/test_restore.py %D%/test_replay.py %D%/test_pause.py
operate_tests += %D%/test_monitor.py %D%/test_show.py
python_tests += $(operate_tests)
sanitized_tests += $(operate_tests)
EXTRA_DIST += %D%/command_site.py
unit_tests += test_progress
test_progress_SOURCES = %D%/test_progress.c
test_progress_CPPFLAGS = $(unit_cppflags)
test_progress_LDADD = $(unit_ldadd)

# conf/ and command/
python_tests += %D%/test_follow.py
sanitized_tests += %D%/test_follow.py
python_tests += %D%/test_completion.py %D%/test_logrotate.py
sanitized_tests += %D%/test_completion.py
python_tests += %D%/test_command.py %D%/test_check.py %D%/test_probe.py
sanitized_tests += %D%/test_command.py %D%/test_check.py %D%/test_probe.py
EXTRA_DIST += %D%/certificates.py
unit_tests += test_choice test_ini test_config test_config_destination \
	test_config_files test_environment test_print
EXTRA_DIST += %D%/config_unit.h
test_environment_SOURCES = %D%/test_environment.c
test_environment_CPPFLAGS = $(unit_cppflags)
test_environment_LDADD = $(unit_ldadd)
test_ini_SOURCES = %D%/test_ini.c
test_ini_CPPFLAGS = $(unit_cppflags)
test_ini_LDADD = $(unit_ldadd)
test_config_SOURCES = %D%/test_config.c
test_config_CPPFLAGS = $(unit_cppflags)
test_config_LDADD = $(unit_ldadd)
test_config_destination_SOURCES = %D%/test_config_destination.c
test_config_destination_CPPFLAGS = $(unit_cppflags)
test_config_destination_LDADD = $(unit_ldadd)
test_choice_SOURCES = %D%/test_choice.c
test_choice_CPPFLAGS = $(unit_cppflags)
test_choice_LDADD = $(unit_ldadd)
test_config_files_SOURCES = %D%/test_config_files.c
test_config_files_CPPFLAGS = $(unit_cppflags)
test_config_files_LDADD = $(unit_ldadd)
test_print_SOURCES = %D%/test_print.c
test_print_CPPFLAGS = $(unit_cppflags)
test_print_LDADD = $(unit_ldadd)

# The files in apache/, lighttpd/, nginx/ and systemd/
python_tests += %D%/test_cgi.py %D%/test_apache_cgid.py %D%/test_apache_fcgid.py \
	%D%/test_apache_proxy_fcgi.py %D%/test_lighttpd_cgi.py \
	%D%/test_lighttpd_fastcgi.py %D%/test_nginx.py %D%/test_nginx_spawn.py %D%/test_systemd.py
EXTRA_DIST += %D%/server_cases.py

# The long runs, and their short variants
python_tests += %D%/test_long.py
include %D%/long/local.mk
