# Examples for the administrator, with this installation's paths filled in.

apacheexamplesdir = $(docdir)/examples/apache
apacheexamples_DATA = %D%/mod_fcgid.conf %D%/mod_proxy_fcgi.conf \
	%D%/mod_cgid.conf

filled_in += $(apacheexamples_DATA)
%D%/mod_fcgid.conf: %D%/mod_fcgid.conf.in
%D%/mod_proxy_fcgi.conf: %D%/mod_proxy_fcgi.conf.in
%D%/mod_cgid.conf: %D%/mod_cgid.conf.in
