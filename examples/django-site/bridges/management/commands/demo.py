from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from bridges import demo_data
from bridges.models import Bridge, Defect, Inspection, Notice, Region

REPORTS = 12


class Command(BaseCommand):
    help = 'Fills an empty book with invented records and makes the user admin with the password admin. Twice does no harm.'

    @transaction.atomic
    def handle(self, *args, **options):
        if not settings.IS_LOCAL:
            raise CommandError('Everybody knows the password of the demo data: it is not for a site with DJANGO_ALLOWED_HOSTS.')
        made = [make_users(), make_records()]
        self.stdout.write('Demo data is there.' if any(made) else 'Demo data was there already.')


def make_users():
    """An administrator and two inspectors, unless there are such. Nobody's password is ever changed."""
    users = get_user_model().objects
    if users.filter(username='admin').exists():
        return False
    users.create_superuser('admin', 'admin@example.org', 'admin')
    permissions = Permission.objects.filter(codename__in=['view_notice', 'change_notice'])
    for name, first, last in (('okafor', 'Ngozi', 'Okafor'), ('lindqvist', 'Per', 'Lindqvist')):
        user, _ = users.get_or_create(username=name, defaults={'first_name': first, 'last_name': last})
        user.user_permissions.add(*permissions)
    return True


def make_records():
    if Bridge.objects.exists():
        return False
    regions = [Region.objects.get_or_create(name=name)[0] for name in demo_data.REGIONS]
    for number, name, region, kind, traffic, material, crosses, built, length, spans in demo_data.BRIDGES:
        bridge = Bridge.objects.create(
            number=number,
            name=name,
            slug=slugify(name.replace('’', '')),
            region=regions[region],
            kind=kind,
            traffic=traffic,
            material=material,
            crosses=crosses,
            built=built,
            length_m=length,
            spans=spans,
            description=demo_data.description(kind, traffic, material, crosses, built, spans),
        )
        make_inspections(bridge)
    for inspection in Inspection.objects.select_related('bridge')[:REPORTS]:
        add_report(inspection)
    for number, name, message, status in demo_data.NOTICES:
        Notice.objects.create(bridge=Bridge.objects.get(number=number), name=name, message=message, status=status)
    return True


def make_inspections(bridge):
    inspectors = list(get_user_model().objects.filter(username__in=['okafor', 'lindqvist']))
    for turn, (day, kind, rating, summary, defects) in enumerate(demo_data.inspections(bridge.number, timezone.localdate())):
        inspector = inspectors[turn % len(inspectors)] if inspectors else None
        inspection = bridge.inspections.create(date=day, kind=kind, rating=rating, summary=summary, inspector=inspector)
        Defect.objects.bulk_create(
            Defect(inspection=inspection, element=element, severity=severity, note=note) for element, severity, note in defects
        )


def add_report(inspection):
    lines = [
        f'{inspection.bridge.name} ({inspection.bridge.number}), {inspection.date:%d %B %Y}',
        f'Condition: {inspection.get_rating_display()}',
        inspection.summary,
        '',
        *(f'- {defect}' for defect in inspection.defects.all()),
    ]
    document = demo_data.report_pdf(f'{inspection.get_kind_display()} inspection', lines)
    inspection.report.save('report.pdf', ContentFile(document))
