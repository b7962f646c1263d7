"""Django with the middlewares that each site needs: those of a public page or an API, without sessions."""

from django_site import site

application = site(
    [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
)
