dist_man_MANS =

dist_man_MANS += %D%/hookspool-store.7

man_MANS = %D%/hookspool.8 %D%/hookspool.conf.5
filled_in += $(man_MANS)
%D%/hookspool.8: %D%/hookspool.8.in
%D%/hookspool.conf.5: %D%/hookspool.conf.5.in
