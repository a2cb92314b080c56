dist_man_MANS =

dist_man_MANS += %D%/hookspool-store.7

man_MANS = %D%/hookspool.8 %D%/hookspool.conf.5 %D%/hookspool.fcgi.8
filled_in += $(man_MANS)
%D%/hookspool.8: %D%/hookspool.8.in
%D%/hookspool.conf.5: %D%/hookspool.conf.5.in
%D%/hookspool.fcgi.8: %D%/hookspool.fcgi.8.in
