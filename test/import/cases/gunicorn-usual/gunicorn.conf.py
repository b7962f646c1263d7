"""How the shop runs in production."""
import multiprocessing
import os

bind = ["unix:/run/shop.sock", "127.0.0.1:8001"]
workers = multiprocessing.cpu_count() * 2 + 1
threads = 2
worker_class = "gthread"
timeout = 30
graceful_timeout = 20
keepalive = 5
max_requests = 1000
max_requests_jitter = 50
preload_app = True
wsgi_app = "shop.wsgi:application"
accesslog = "-"
errorlog = "-"
loglevel = "info"
user = "www-data"
group = "www-data"
umask = 0o007
raw_env = ["DJANGO_SETTINGS_MODULE=shop.settings"]
forwarded_allow_ips = "10.0.0.0/8,127.0.0.1"


def post_fork(server, worker):
    server.log.info("worker %s", worker.pid)
