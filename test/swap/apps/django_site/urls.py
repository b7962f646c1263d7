from django.urls import path, re_path

from . import views

urlpatterns = [
    re_path('^echo(?:/|$)', views.echo),
    path('large', views.large),
    path('blocks', views.blocks),
    path('stream', views.stream),
    path('release', views.release),
    path('broken', views.broken),
    path('cookies', views.cookies),
    path('fields', views.fields),
    path('redirect', views.redirect),
    path('file', views.file),
    path('tagged', views.tagged),
    path('empty', views.empty),
    path('status', views.status),
    path('fail', views.fail),
]
