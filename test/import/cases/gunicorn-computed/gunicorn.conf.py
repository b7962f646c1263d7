import multiprocessing
import os

PORT = os.environ.get("PORT", "8000")
bind = f"0.0.0.0:{PORT}"
workers = int(os.environ.get("WEB_CONCURRENCY", multiprocessing.cpu_count() * 2 + 1))
threads = int(os.getenv("THREADS", 1)) * 2
timeout = int(os.environ.get("TIMEOUT", "20"))
graceful_timeout = timeout + 10
keepalive = int(os.environ["KEEPALIVE"])
max_requests = 1_000
max_requests_jitter = max_requests // 10
max_requests_jitter += 1
name = "shop"
wsgi_app = "%s.wsgi:%s" % (name, "application")
pidfile = "/run/{}.pid".format(name)
accesslog = "-" if os.environ.get("LOG_REQUESTS", "yes") == "yes" else None
errorlog = os.path.join(os.path.dirname(os.path.abspath(__file__)), "error.log")
chdir = os.path.dirname(os.path.abspath(__file__))
preload_app = True
reload = True
raw_env = ["DJANGO_SETTINGS_MODULE=shop.settings"]
pythonpath = "/srv/lib"
worker_class = "gevent"
forwarded_allow_ips = "*"
secure_scheme_headers = {"X-Scheme": "https"}
limit_request_line = 0
user = os.popen("id -un").read()
exec(open("more.py").read())


def post_fork(server, worker):
    pass


def on_starting(server):
    pass
