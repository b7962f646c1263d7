bind = "127.0.0.1:8000"
proxy_protocol = True
header_map = "dangerous"
forwarder_headers = "SCRIPT_NAME,REMOTE_USER"
casefold_http_method = True
permit_obsolete_folding = True
strip_header_spaces = False
syslog = False
