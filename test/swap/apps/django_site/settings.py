"""Settings of a small project: what every deployment has, without a database."""

SECRET_KEY = 'not a secret: for tests'
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'django_site.urls'
WSGI_APPLICATION = 'django_site.wsgi.application'
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.middleware.http.ConditionalGetMiddleware',
    'django.middleware.common.CommonMiddleware',
]
APPEND_SLASH = False
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = None
