# Examples for the administrator, with this installation's paths filled in.

nginxexamplesdir = $(docdir)/examples/nginx
nginxexamples_DATA = %D%/hookspool.conf

filled_in += $(nginxexamples_DATA)
%D%/hookspool.conf: %D%/hookspool.conf.in
