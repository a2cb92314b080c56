"""The endpoint behind Apache with mod_proxy_fcgi, over HTTPS, with the file shipped."""

import server_cases
import webserver

server_cases.run(__name__, webserver.ApacheProxyFcgi)
