from pathlib import PurePath

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.core.paginator import Paginator
from django.db import DatabaseError, connection
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpResponseBadRequest, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import CreateView, DetailView, ListView, TemplateView

from .csv_rows import csv_blocks
from .forms import NoticeForm
from .models import Bridge, Inspection, Notice, Region
from .uploads import TYPES


class HomeView(TemplateView):
    template_name = 'bridges/home.html'

    def get_context_data(self, **kwargs):
        bridges = Bridge.objects.with_condition()
        return super().get_context_data(
            bridge_count=Bridge.objects.count(),
            inspection_count=Inspection.objects.count(),
            poor_count=bridges.filter(condition__gte=Inspection.Rating.POOR).count(),
            latest=Inspection.objects.select_related('bridge__region')[:6],
            kinds=Bridge.objects.order_by('kind').values_list('kind').annotate(Count('pk')),
            kind_names=dict(Bridge.Kind.choices),
            **kwargs,
        )


class BridgeListView(ListView):
    paginate_by = 12
    context_object_name = 'bridges'

    def get_queryset(self):
        bridges = Bridge.objects.with_condition().select_related('region')
        self.query = self.request.GET.get('q', '').strip()[:60]
        self.kind = self.request.GET.get('kind', '')
        if self.query:
            fields = ('name', 'number', 'crosses', 'region__name')
            bridges = bridges.filter(Q.create([(f'{field}__icontains', self.query) for field in fields], Q.OR))
        if self.kind in Bridge.Kind:
            bridges = bridges.filter(kind=self.kind)
        return bridges

    def get_context_data(self, **kwargs):
        return super().get_context_data(query=self.query, kind=self.kind, kinds=Bridge.Kind.choices, **kwargs)


class BridgeView(DetailView):
    queryset = Bridge.objects.with_condition().select_related('region')

    def get_context_data(self, **kwargs):
        inspections = self.object.inspections.annotate(defect_count=Count('defects')).order_by('-date', '-pk')
        page = Paginator(inspections, 8).get_page(self.request.GET.get('page'))
        return super().get_context_data(page_obj=page, **kwargs)


@method_decorator(cache_control(public=True, max_age=300), name='dispatch')
class RegionListView(ListView):
    """Slow on purpose, as such pages are by accident: its template asks the database again for each bridge."""

    queryset = Region.objects.all()
    context_object_name = 'regions'


class InspectionView(DetailView):
    queryset = Inspection.objects.select_related('bridge__region', 'inspector').prefetch_related('defects')


class NoticeView(SuccessMessageMixin, CreateView):
    model = Notice
    form_class = NoticeForm
    success_message = 'Thank you. An inspector will read it on the next working day.'

    def dispatch(self, request, *args, **kwargs):
        self.bridge = get_object_or_404(Bridge, slug=kwargs['slug'])
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        form.instance.bridge = self.bridge
        return super().form_valid(form)

    def get_success_url(self):
        return self.bridge.get_absolute_url()

    def get_context_data(self, **kwargs):
        return super().get_context_data(bridge=self.bridge, **kwargs)


class NoticeListView(PermissionRequiredMixin, ListView):
    permission_required = 'bridges.view_notice'
    queryset = Notice.objects.select_related('bridge')
    paginate_by = 10
    context_object_name = 'notices'

    def get_context_data(self, **kwargs):
        return super().get_context_data(statuses=Notice.Status.choices, **kwargs)


@require_POST
@permission_required('bridges.change_notice', raise_exception=True)
def notice_status(request, pk):
    status = request.POST.get('status', '')
    if status not in Notice.Status:
        return HttpResponseBadRequest('There is no such status.', content_type='text/plain')
    notice = get_object_or_404(Notice, pk=pk)
    notice.status = status
    notice.save(update_fields=['status'])
    messages.success(request, f'{notice.bridge.name}: {notice.get_status_display().lower()}.')
    return redirect('bridges:notices')


@require_safe
def inspections_csv(request):
    """All inspections, sent while they are read: memory stays small however many there are."""
    inspections = Inspection.objects.select_related('bridge__region').annotate(defect_count=Count('defects')).order_by('-date', '-pk')
    header = ['date', 'number', 'bridge', 'region', 'kind', 'rating', 'defects', 'summary', 'address']
    rows = (
        [
            inspection.date.isoformat(),
            inspection.bridge.number,
            inspection.bridge.name,
            inspection.bridge.region.name,
            inspection.get_kind_display(),
            inspection.rating,
            inspection.defect_count,
            inspection.summary,
            request.build_absolute_uri(inspection.get_absolute_url()),
        ]
        for inspection in inspections.iterator(chunk_size=500)
    )
    return StreamingHttpResponse(
        csv_blocks(header, rows),
        content_type='text/csv; charset=utf-8',
        headers={'Content-Disposition': 'attachment; filename="inspections.csv"'},
    )


@require_safe
def media(request, name):
    """An uploaded file. Reports are public, photos of notices are not. A file that no record names does not exist."""
    inspection = Inspection.objects.filter(report=name).first()
    if inspection:
        file = inspection.report
    elif request.user.has_perm('bridges.view_notice'):
        file = get_object_or_404(Notice, photo=name).photo
    else:
        raise Http404('no such file')
    if not file.name or not file.storage.exists(file.name):
        raise Http404('no such file')
    suffix = PurePath(name).suffix
    return FileResponse(
        file.open('rb'),
        content_type=TYPES.get(suffix, 'application/octet-stream'),
        filename=f'{inspection.bridge.slug}-{inspection.date}{suffix}' if inspection else PurePath(name).name,
        headers={'Content-Security-Policy': "default-src 'none'; sandbox", 'Cache-Control': 'private, max-age=3600'},
    )


@require_safe
@never_cache
def health(request):
    """For a load balancer: 200 while the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute('SELECT 1')
    except DatabaseError:
        return JsonResponse({'status': 'no database'}, status=503)
    return JsonResponse({'status': 'ok'})
