"""Django with all the middlewares of startproject, and a view with ten queries."""

from django_tools import site

application = site()
