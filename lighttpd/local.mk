# Examples for the administrator, with this installation's paths filled in.

lighttpdexamplesdir = $(docdir)/examples/lighttpd
lighttpdexamples_DATA = %D%/fastcgi.conf %D%/cgi.conf

filled_in += $(lighttpdexamples_DATA)
%D%/fastcgi.conf: %D%/fastcgi.conf.in
%D%/cgi.conf: %D%/cgi.conf.in
