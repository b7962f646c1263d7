"""The site of django_queries.py with Django Debug Toolbar, which is active for every request."""

import django_tools
from django.urls import include, path

application = django_tools.site(["debug_toolbar"], ["debug_toolbar.middleware.DebugToolbarMiddleware"], debug=True)
django_tools.urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))  # after the settings
