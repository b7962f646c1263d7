import os
from multiprocessing import cpu_count

host = "0.0.0.0"
port = int(os.environ.get("PORT", "8000"))
bind = f"{host}:9000"
workers = int(os.getenv("WEB_CONCURRENCY", 3))
threads = int(os.environ["THREADS"])
worker_class = os.environ.get("WORKER_CLASS") or "gevent"
worker_connections = 500
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
chdir = "/srv/there-is-no-such-project"
accesslog = None
backlog = 2048
statsd_host = "127.0.0.1:8125"
reload = False
if os.environ.get("DEBUG"):
    reload = True
logconfig_dict = {"version": 1}
limit = cpu_count()
