# Examples for the administrator, with this installation's paths filled in.

nginxexamplesdir = $(docdir)/examples/nginx
nginxexamples_DATA = %D%/hookspool.conf %D%/hookspool-endpoint

filled_in += $(nginxexamples_DATA)
%D%/hookspool.conf: %D%/hookspool.conf.in
%D%/hookspool-endpoint: %D%/hookspool-endpoint.in
