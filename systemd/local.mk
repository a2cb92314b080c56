# Units, installed but not enabled; a cron line and a file for logrotate as examples.

systemdsystemunit_DATA = \
	%D%/hookspool-endpoint.socket \
	%D%/hookspool-endpoint.service \
	%D%/hookspool-relay.service \
	%D%/hookspool-relay-pending.service \
	%D%/hookspool-relay-pending.timer

cronexamplesdir = $(docdir)/examples/cron
cronexamples_DATA = %D%/hookspool.cron

logrotateexamplesdir = $(docdir)/examples/logrotate
logrotateexamples_DATA = %D%/hookspool.logrotate

filled_in += $(systemdsystemunit_DATA) $(cronexamples_DATA) \
	$(logrotateexamples_DATA)
%D%/hookspool-endpoint.socket: %D%/hookspool-endpoint.socket.in
%D%/hookspool-endpoint.service: %D%/hookspool-endpoint.service.in
%D%/hookspool-relay.service: %D%/hookspool-relay.service.in
%D%/hookspool-relay-pending.service: %D%/hookspool-relay-pending.service.in
%D%/hookspool-relay-pending.timer: %D%/hookspool-relay-pending.timer.in
%D%/hookspool.cron: %D%/hookspool.cron.in
%D%/hookspool.logrotate: %D%/hookspool.logrotate.in
