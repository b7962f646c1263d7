"""Settings of the bridge book.

Without a variable set they are right for one's own machine: DEBUG is off, as in production, and only local names are answered.
In production set DJANGO_SECRET_KEY and DJANGO_ALLOWED_HOSTS, and DJANGO_HTTPS=1 where visitors come by HTTPS.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# All that the site writes: database, uploads, collected static files. Git ignores it; a backup needs nothing else.
VAR_DIR = BASE_DIR / 'var'
VAR_DIR.mkdir(exist_ok=True)


def is_on(name):
    return os.environ.get(name, '').lower() in ('1', 'true', 'yes', 'on')


def words(name):
    return os.environ.get(name, '').replace(',', ' ').split()


DEBUG = is_on('DJANGO_DEBUG')

# Without a name of its own the site is one that only its machine sees.
IS_LOCAL = not words('DJANGO_ALLOWED_HOSTS')
ALLOWED_HOSTS = words('DJANGO_ALLOWED_HOSTS') or ['localhost', '127.0.0.1', '[::1]']

SECRET_KEY = os.environ.get('DJANGO_SECRET_KEY', '')
if not SECRET_KEY:
    # The key below is public, so sessions signed with it can be forged: it must never meet a public name.
    if not IS_LOCAL:
        raise ImproperlyConfigured('Set DJANGO_SECRET_KEY: the built-in key is for local names only')
    SECRET_KEY = 'for-local-use-only-because-everybody-can-read-this-key-in-the-repository'

INSTALLED_APPS = [
    'django.contrib.admin',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.humanize',
    'django.contrib.messages',
    'django.contrib.sessions',
    'django.contrib.staticfiles',
    'bridges',
]

MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'bridgebook.middleware.content_security_policy',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'bridgebook.middleware.private_pages',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]

ROOT_URLCONF = 'bridgebook.urls'
WSGI_APPLICATION = 'bridgebook.wsgi.application'

TEMPLATES = [
    {
        'BACKEND': 'django.template.backends.django.DjangoTemplates',
        'DIRS': [BASE_DIR / 'templates'],
        'APP_DIRS': True,
        'OPTIONS': {
            'context_processors': [
                'django.template.context_processors.request',
                'django.contrib.auth.context_processors.auth',
                'django.contrib.messages.context_processors.messages',
            ],
        },
    },
]

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.sqlite3',
        'NAME': VAR_DIR / 'db.sqlite3',
        # Each thread of each worker keeps its connection: opening one costs more than most queries.
        'CONN_MAX_AGE': 600,
        'OPTIONS': {
            # Readers and the writer do not wait for each other; a second writer waits for the first, up to the timeout.
            'init_command': 'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;',
            'transaction_mode': 'IMMEDIATE',
            'timeout': 20,
        },
    },
}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'

AUTH_PASSWORD_VALIDATORS = [
    {'NAME': f'django.contrib.auth.password_validation.{name}'}
    for name in (
        'UserAttributeSimilarityValidator',
        'MinimumLengthValidator',
        'CommonPasswordValidator',
        'NumericPasswordValidator',
    )
]
LOGIN_URL = 'login'
LOGIN_REDIRECT_URL = 'bridges:notices'
LOGOUT_REDIRECT_URL = 'bridges:home'

LANGUAGE_CODE = 'en-gb'
TIME_ZONE = 'UTC'
USE_TZ = True

# Viaduct serves STATIC_ROOT itself. Uploads go through a view, which knows who may see them.
STATIC_URL = '/static/'
STATIC_ROOT = VAR_DIR / 'static'
MEDIA_URL = '/media/'
MEDIA_ROOT = VAR_DIR / 'media'

SESSION_COOKIE_SAMESITE = 'Lax'
X_FRAME_OPTIONS = 'DENY'
SECURE_REFERRER_POLICY = 'same-origin'
if is_on('DJANGO_HTTPS'):
    # The redirect from HTTP is the web server's job: it knows how a visitor came, also behind another one.
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [f'https://{host.replace(".", "*.", 1) if host.startswith(".") else host}' for host in ALLOWED_HOSTS]

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'formatters': {'line': {'format': '{levelname} {name}: {message}', 'style': '{'}},
    'handlers': {'stderr': {'class': 'logging.StreamHandler', 'formatter': 'line'}},
    'root': {'handlers': ['stderr'], 'level': 'WARNING'},
    # A page that does not exist is in the server's access log already.
    'loggers': {'django.request': {'level': 'ERROR'}},
}
