"""The site of django_queries.py with Silk, which records every request in the site's database."""

import django_tools
from django.urls import include, path

application = django_tools.site(["silk"], ["silk.middleware.SilkyMiddleware"])
django_tools.urlpatterns.append(path("silk/", include("silk.urls", namespace="silk")))  # after the settings
