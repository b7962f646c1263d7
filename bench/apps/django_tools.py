"""A Django site with all the middlewares of startproject and a view with ten queries, for tools that show what a request does."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpResponse
from django.urls import path

QUERIES = 10


def hello(request):
    return HttpResponse("<!doctype html><html><body>Hello, world!</body></html>")


def queries(request):
    from django.contrib.auth.models import User

    for key in range(QUERIES):
        User.objects.filter(pk=key).first()
    return hello(request)


urlpatterns = [path("", hello), path("queries", queries)]
APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def site(apps=(), middleware=(), debug=False):
    """The WSGI application of the site. Its database is a file, which is new for each start."""
    directory = Path(tempfile.mkdtemp(prefix="viaduct-bench-"))
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": directory / "site.sqlite3",
                "CONN_MAX_AGE": None,  # the tools are measured, not how a connection is opened
            }
        },
        DEBUG=debug,
        DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": lambda request: True},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[*APPS, *apps],
        MIDDLEWARE=[*middleware, *MIDDLEWARE],
        ROOT_URLCONF=__name__,
        SECRET_KEY="of a benchmark",
        STATIC_URL="/static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=True,
    )
    application = get_wsgi_application()
    call_command("migrate", verbosity=0)
    connections.close_all()  # workers are forked from this process
    return application
