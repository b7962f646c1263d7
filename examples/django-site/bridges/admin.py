from django.contrib import admin
from django.db.models import Count

from .models import Bridge, Defect, Inspection, Notice, Region


class InspectionInline(admin.TabularInline):
    model = Inspection
    fields = ['date', 'kind', 'rating', 'summary']
    extra = 0
    show_change_link = True


class DefectInline(admin.TabularInline):
    model = Defect
    extra = 1


@admin.register(Region)
class RegionAdmin(admin.ModelAdmin):
    list_display = ['name', 'bridges']
    search_fields = ['name']

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(bridge_count=Count('bridges'))

    @admin.display(ordering='bridge_count')
    def bridges(self, region):
        return region.bridge_count


@admin.register(Bridge)
class BridgeAdmin(admin.ModelAdmin):
    list_display = ['number', 'name', 'region', 'kind', 'traffic', 'built', 'length_m', 'condition']
    list_display_links = ['number', 'name']
    list_filter = ['region', 'kind', 'traffic']
    list_select_related = ['region']
    search_fields = ['number', 'name', 'crosses']
    prepopulated_fields = {'slug': ['name']}
    inlines = [InspectionInline]

    def get_queryset(self, request):
        return super().get_queryset(request).with_condition()

    @admin.display(ordering='condition', empty_value='not inspected')
    def condition(self, bridge):
        return Inspection.Rating(bridge.condition).label if bridge.condition else None


@admin.register(Inspection)
class InspectionAdmin(admin.ModelAdmin):
    list_display = ['bridge', 'date', 'kind', 'rating', 'inspector']
    list_filter = ['rating', 'kind', 'bridge__region']
    list_select_related = ['bridge', 'inspector']
    search_fields = ['bridge__name', 'bridge__number', 'summary']
    autocomplete_fields = ['bridge', 'inspector']
    date_hierarchy = 'date'
    inlines = [DefectInline]


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    list_display = ['created', 'bridge', 'name', 'status']
    list_filter = ['status', 'created']
    list_select_related = ['bridge']
    search_fields = ['bridge__name', 'name', 'message']
    autocomplete_fields = ['bridge']
    readonly_fields = ['created']
    actions = ['mark_done']

    @admin.action(description='Mark selected notices as done')
    def mark_done(self, request, notices):
        count = notices.update(status=Notice.Status.DONE)
        self.message_user(request, f'{count} marked as done.')
