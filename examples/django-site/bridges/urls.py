from django.urls import path

from . import views

app_name = 'bridges'

urlpatterns = [
    path('', views.HomeView.as_view(), name='home'),
    path('bridges/', views.BridgeListView.as_view(), name='bridges'),
    path('bridges/<slug:slug>/', views.BridgeView.as_view(), name='bridge'),
    path('bridges/<slug:slug>/notice/', views.NoticeView.as_view(), name='notice'),
    path('regions/', views.RegionListView.as_view(), name='regions'),
    path('inspections/<int:pk>/', views.InspectionView.as_view(), name='inspection'),
    path('inspections.csv', views.inspections_csv, name='inspections-csv'),
    path('notices/', views.NoticeListView.as_view(), name='notices'),
    path('notices/<int:pk>/', views.notice_status, name='notice-status'),
    path('media/<path:name>', views.media, name='media'),
    path('health', views.health, name='health'),
]
