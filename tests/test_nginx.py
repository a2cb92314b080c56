"""The endpoint behind nginx, over HTTPS, with the file shipped."""

import server_cases
import webserver

server_cases.run(__name__, webserver.Nginx)
