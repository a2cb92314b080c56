"""The endpoint behind lighttpd with mod_fastcgi, over HTTPS, with the file shipped."""

import server_cases
import webserver

server_cases.run(__name__, webserver.LighttpdFastcgi)
