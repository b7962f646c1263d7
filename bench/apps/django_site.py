"""A Django site of one view, in one file."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path


def hello(request):
    return HttpResponse("Hello, world!\n", content_type="text/plain")


urlpatterns = [path("", hello)]


def site(middleware):
    """The WSGI application of a site with the applications that `startproject` puts into its settings and these middlewares."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
        ],
        MIDDLEWARE=middleware,
        ROOT_URLCONF=__name__,
        SECRET_KEY="of a benchmark",
        STATIC_URL="/static/",
        USE_TZ=True,
    )
    return get_wsgi_application()
