dist_man_MANS =

dist_man_MANS += %D%/hookspool-store.7
