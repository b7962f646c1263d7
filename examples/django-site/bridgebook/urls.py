from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

admin.site.site_title = 'Bridge book'
admin.site.site_header = 'Bridge book: administration'
admin.site.index_title = 'Records'

urlpatterns = [
    path('', include('bridges.urls')),
    path('accounts/login/', LoginView.as_view(redirect_authenticated_user=True), name='login'),
    path('accounts/logout/', LogoutView.as_view(), name='logout'),
    path('admin/', admin.site.urls),
]
