# The rooms, from the bottom up; arrows between them go down only (HACKING).

noinst_LIBRARIES += libhookspool.a
bin_PROGRAMS += hookspool
libexec_PROGRAMS += hookspool.fcgi

libhookspool_a_CPPFLAGS = $(AM_CPPFLAGS) $(FCGI_CFLAGS) $(JSON_CFLAGS) \
	$(SQLITE_CFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
libhookspool_a_SOURCES = \
	%D%/base/alarm.c %D%/base/alarm.h \
	%D%/base/buf.c %D%/base/buf.h \
	%D%/base/clock.c %D%/base/clock.h \
	%D%/base/fingerprint.c %D%/base/fingerprint.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/outlet.c %D%/base/outlet.h \
	%D%/base/secret.c %D%/base/secret.h \
	%D%/base/user.c %D%/base/user.h \
	%D%/base/uuid.c %D%/base/uuid.h \
	%D%/base/xalloc.c %D%/base/xalloc.h

# json/
libhookspool_a_SOURCES += \
	%D%/json/check.c \
	%D%/json/cursor.c \
	%D%/json/escape.c %D%/json/escape.h \
	%D%/json/json.h \
	%D%/json/write.c %D%/json/write.h

# event/
libhookspool_a_SOURCES += \
	%D%/event/event.c %D%/event/event.h \
	%D%/event/mention.c %D%/event/mention.h

# conf/
libhookspool_a_SOURCES += \
	%D%/conf/choice.c %D%/conf/choice.h \
	%D%/conf/conf.c %D%/conf/conf.h \
	%D%/conf/credentials.c %D%/conf/credentials.h \
	%D%/conf/file.c %D%/conf/file.h \
	%D%/conf/ini.c %D%/conf/ini.h \
	%D%/conf/kept.c \
	%D%/conf/keys.c %D%/conf/keys.h \
	%D%/conf/load.c \
	%D%/conf/match.c %D%/conf/match.h \
	%D%/conf/near.c %D%/conf/near.h \
	%D%/conf/parse.c \
	%D%/conf/texts.c %D%/conf/texts.h \
	%D%/conf/tokens.c %D%/conf/tokens.h \
	%D%/conf/url.c \
	%D%/conf/value.c %D%/conf/value.h

# wake/
libhookspool_a_SOURCES += \
	%D%/wake/spawn.c %D%/wake/spawn.h \
	%D%/wake/starter.c %D%/wake/starter.h \
	%D%/wake/wake.c %D%/wake/wake.h

# spool/
libhookspool_a_SOURCES += \
	%D%/spool/accept.c \
	%D%/spool/access.c %D%/spool/access.h \
	%D%/spool/backup.c \
	%D%/spool/capture.c \
	%D%/spool/change.c \
	%D%/spool/claim.c \
	%D%/spool/create.c \
	%D%/spool/erase.c \
	%D%/spool/erasing.c \
	%D%/spool/filter.c \
	%D%/spool/find.c \
	%D%/spool/folder.c %D%/spool/folder.h \
	%D%/spool/forget.c \
	%D%/spool/forward.c \
	%D%/spool/hold.c \
	%D%/spool/lane.c \
	%D%/spool/list.c \
	%D%/spool/lock.c \
	%D%/spool/mark.c \
	%D%/spool/page.c %D%/spool/page.h \
	%D%/spool/probes.c \
	%D%/spool/query.c \
	%D%/spool/recover.c \
	%D%/spool/refuse.c \
	%D%/spool/relay_lock.c \
	%D%/spool/replay.c \
	%D%/spool/restore.c \
	%D%/spool/rights.c \
	%D%/spool/route.c \
	%D%/spool/schema.c \
	%D%/spool/scrub.c \
	%D%/spool/select.c %D%/spool/select.h \
	%D%/spool/settle.c \
	%D%/spool/spool.h \
	%D%/spool/spool_time.c \
	%D%/spool/sql.c \
	%D%/spool/store.c \
	%D%/spool/store_internal.h \
	%D%/spool/summary.c \
	%D%/spool/trial.c \
	%D%/spool/tx.c %D%/spool/tx.h \
	%D%/spool/write.c

# deliver/
libhookspool_a_SOURCES += \
	%D%/deliver/deliver.c %D%/deliver/deliver.h \
	%D%/deliver/descriptors.c %D%/deliver/descriptors.h \
	%D%/deliver/egress.c %D%/deliver/egress.h \
	%D%/deliver/guard.c %D%/deliver/guard.h \
	%D%/deliver/headers.c %D%/deliver/headers.h \
	%D%/deliver/inspect.c %D%/deliver/inspect.h \
	%D%/deliver/receive.c %D%/deliver/receive.h \
	%D%/deliver/sign.c %D%/deliver/sign.h

# web/
libhookspool_a_SOURCES += \
	%D%/web/answer.c %D%/web/answer.h \
	%D%/web/cgi.c %D%/web/cgi.h \
	%D%/web/exchange.h \
	%D%/web/gateway.c %D%/web/gateway.h \
	%D%/web/watchdog.c %D%/web/watchdog.h

# relay/
libhookspool_a_SOURCES += \
	%D%/relay/bodies.c %D%/relay/bodies.h \
	%D%/relay/destinations.c %D%/relay/destinations.h \
	%D%/relay/health.c %D%/relay/health.h \
	%D%/relay/judge.c %D%/relay/judge.h \
	%D%/relay/note.c %D%/relay/note.h \
	%D%/relay/queue.c %D%/relay/queue.h \
	%D%/relay/relay.c %D%/relay/relay.h \
	%D%/relay/restart.c %D%/relay/restart.h \
	%D%/relay/retain.c %D%/relay/retain.h \
	%D%/relay/routing.c %D%/relay/routing.h \
	%D%/relay/schedule.c %D%/relay/schedule.h \
	%D%/relay/signals.c %D%/relay/signals.h \
	%D%/relay/sole.c %D%/relay/sole.h \
	%D%/relay/work.c %D%/relay/work.h

# endpoint/
libhookspool_a_SOURCES += \
	%D%/endpoint/complaint.c %D%/endpoint/complaint.h \
	%D%/endpoint/moved.c %D%/endpoint/moved.h \
	%D%/endpoint/request.c %D%/endpoint/request.h \
	%D%/endpoint/server.c %D%/endpoint/server.h \
	%D%/endpoint/settings.c %D%/endpoint/settings.h \
	%D%/endpoint/verify.c %D%/endpoint/verify.h

# command/
libhookspool_a_SOURCES += \
	%D%/command/ask.c %D%/command/ask.h \
	%D%/command/backup.c \
	%D%/command/change.c \
	%D%/command/check.c \
	%D%/command/command.h \
	%D%/command/completion.c \
	%D%/command/destinations.c %D%/command/destinations.h \
	%D%/command/environment.c %D%/command/environment.h \
	%D%/command/erase.c \
	%D%/command/export.c \
	%D%/command/fail.c \
	%D%/command/filter.c %D%/command/filter.h \
	%D%/command/follow.c %D%/command/follow.h \
	%D%/command/forget.c \
	%D%/command/init.c \
	%D%/command/kept_back.c %D%/command/kept_back.h \
	%D%/command/limits.c %D%/command/limits.h \
	%D%/command/list.c \
	%D%/command/listing.c %D%/command/listing.h \
	%D%/command/migrate.c \
	%D%/command/names.c %D%/command/names.h \
	%D%/command/nudge.c %D%/command/nudge.h \
	%D%/command/overview.c %D%/command/overview.h \
	%D%/command/owner.c \
	%D%/command/pause.c \
	%D%/command/plugin.c %D%/command/plugin.h \
	%D%/command/print.c %D%/command/print.h \
	%D%/command/probe.c \
	%D%/command/progress.c %D%/command/progress.h \
	%D%/command/reach.c %D%/command/reach.h \
	%D%/command/reasons.c %D%/command/reasons.h \
	%D%/command/refused.c \
	%D%/command/relay.c \
	%D%/command/reload.c \
	%D%/command/report.c %D%/command/report.h \
	%D%/command/restore.c \
	%D%/command/rows.c %D%/command/rows.h \
	%D%/command/send.c \
	%D%/command/sender.c %D%/command/sender.h \
	%D%/command/show.c \
	%D%/command/site.c %D%/command/site.h \
	%D%/command/soundness.c %D%/command/soundness.h \
	%D%/command/status.c \
	%D%/command/steps.c %D%/command/steps.h \
	%D%/command/stop.c \
	%D%/command/target.c %D%/command/target.h \
	%D%/command/when.c %D%/command/when.h

# The endpoint parses what strangers send: no network client, no TLS.
hookspool_fcgi_SOURCES = %D%/endpoint/main.c
hookspool_fcgi_LDADD = libhookspool.a $(FCGI_LIBS) $(JSON_LIBS) $(SQLITE_LIBS)

# The operator's command and the relay: no FastCGI.
hookspool_SOURCES = %D%/command/main.c
hookspool_LDADD = libhookspool.a $(CURL_LIBS) $(CRYPTO_LIBS) $(JSON_LIBS) \
	$(SQLITE_LIBS)

# What completes its words in bash: printed by the program itself.
if CAN_RUN
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = completions/hookspool
CLEANFILES += $(bashcompletion_DATA)
completions/hookspool: hookspool$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) completions && \
		./hookspool completion > $@.tmp && mv $@.tmp $@
endif
