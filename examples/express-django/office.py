"""A back office in one file: Django's admin, with its users and groups.

    python office.py migrate
    python office.py createsuperuser
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.views import serve
from django.core.wsgi import get_wsgi_application
from django.urls import path, re_path

VAR_DIR = Path(os.environ.get('OFFICE_VAR') or Path(__file__).resolve().parent / 'var')
VAR_DIR.mkdir(exist_ok=True)

settings.configure(
    # For local use only: a published site needs a secret of its own, and its name here.
    SECRET_KEY=os.environ.get('DJANGO_SECRET_KEY', 'for-local-use-only-because-everybody-can-read-this-key-in-the-repository'),
    ALLOWED_HOSTS=['localhost', '127.0.0.1', '[::1]'],
    ROOT_URLCONF='office',
    INSTALLED_APPS=[
        'django.contrib.admin',
        'django.contrib.auth',
        'django.contrib.contenttypes',
        'django.contrib.messages',
        'django.contrib.sessions',
        'django.contrib.staticfiles',
    ],
    MIDDLEWARE=[
        'django.middleware.security.SecurityMiddleware',
        'django.contrib.sessions.middleware.SessionMiddleware',
        'django.middleware.csrf.CsrfViewMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
        'django.contrib.messages.middleware.MessageMiddleware',
    ],
    TEMPLATES=[
        {
            'BACKEND': 'django.template.backends.django.DjangoTemplates',
            'APP_DIRS': True,
            'OPTIONS': {
                'context_processors': [
                    'django.template.context_processors.request',
                    'django.contrib.auth.context_processors.auth',
                    'django.contrib.messages.context_processors.messages',
                ],
            },
        },
    ],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': VAR_DIR / 'office.sqlite3'}},
    DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
    # Without a slash before it: it is below SCRIPT_NAME, wherever the site is mounted.
    STATIC_URL='static/',
    USE_TZ=True,
)

django.setup()
from django.contrib import admin  # noqa: E402, it wants the settings

urlpatterns = [
    re_path(r'^static/(?P<path>.*)$', serve, {'insecure': True}),
    path('', admin.site.urls),
]
application = get_wsgi_application()

if __name__ == '__main__':
    from django.core.management import execute_from_command_line

    sys.modules['office'] = sys.modules['__main__']
    execute_from_command_line(sys.argv)
