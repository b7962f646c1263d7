import csv
import io
import tempfile
from datetime import date

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from .models import Bridge, Defect, Inspection, Notice, Region

PNG = b'\x89PNG\r\n\x1a\n' + bytes(16)
PDF = b'%PDF-1.4\n%%EOF\n'


class SiteTest(TestCase):
    """One bridge with one inspection, and a place for uploads that vanishes."""

    @classmethod
    def setUpTestData(cls):
        cls.region = Region.objects.create(name='Testdale')
        cls.bridge = make_bridge(cls.region, 1)
        cls.inspection = cls.bridge.inspections.create(date=date(2024, 5, 6), rating=3, summary='=cmd: leaks')
        Defect.objects.create(inspection=cls.inspection, element='deck', severity=2, note='Pothole')

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        overridden = override_settings(MEDIA_ROOT=directory.name)
        overridden.enable()
        self.addCleanup(overridden.disable)

    def staff(self):
        user = get_user_model().objects.create_superuser('chief', password='a-long-password')
        self.client.force_login(user)
        return user


class PagesTest(SiteTest):
    def test_pages_answer(self):
        for path in ('/', '/bridges/', '/regions/', self.bridge.get_absolute_url(), self.inspection.get_absolute_url(), '/accounts/login/'):
            with self.subTest(path):
                response = self.client.get(path)
                self.assertEqual(response.status_code, 200)
                self.assertIn("default-src 'self'", response.headers['Content-Security-Policy'])

    def test_page_that_knows_its_visitor_is_private(self):
        self.assertEqual(self.client.get('/regions/').headers['Cache-Control'], 'max-age=300, private')

    def test_region_has_its_bridges(self):
        make_bridge(self.region, 2, name='Never Seen')
        response = self.client.get('/regions/')
        self.assertContains(response, '6 May 2024')
        self.assertContains(response, 'pill-none')

    def test_unknown_page_is_404_with_the_site_around_it(self):
        response = self.client.get('/bridges/none/')
        self.assertContains(response, 'There is no such page', status_code=404)

    def test_list_has_pages(self):
        for number in range(2, 15):
            make_bridge(self.region, number)
        self.assertEqual(len(self.client.get('/bridges/').context['bridges']), 12)
        self.assertEqual(len(self.client.get('/bridges/?page=2').context['bridges']), 2)
        self.assertEqual(self.client.get('/bridges/?page=3').status_code, 404)

    def test_search_and_filter(self):
        make_bridge(self.region, 2, name='Other', kind='truss')
        self.assertEqual([str(bridge) for bridge in self.client.get('/bridges/?q=other').context['bridges']], ['Other (T-2)'])
        self.assertEqual(len(self.client.get('/bridges/?kind=truss').context['bridges']), 1)
        self.assertEqual(len(self.client.get('/bridges/?kind=nonsense').context['bridges']), 2)

    def test_condition_is_that_of_the_latest_inspection(self):
        self.bridge.inspections.create(date=date(2023, 1, 1), rating=5, summary='older')
        self.assertEqual(Bridge.objects.with_condition().get().condition, 3)
        self.assertContains(self.client.get(self.bridge.get_absolute_url()), 'pill-3')

    def test_health(self):
        self.assertEqual(self.client.get('/health').json(), {'status': 'ok'})


class CsvTest(SiteTest):
    def test_has_all_inspections_and_no_formula(self):
        response = self.client.get(reverse('bridges:inspections-csv'))
        self.assertTrue(response.streaming)
        rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]['number'], 'T-1')
        self.assertEqual(rows[0]['defects'], '1')
        self.assertEqual(rows[0]['summary'], "'=cmd: leaks")


class NoticeTest(SiteTest):
    def post(self, client=None, **fields):
        data = {'name': 'Ann', 'email': '', 'message': 'A loose stone', **fields}
        return (client or self.client).post(reverse('bridges:notice', args=[self.bridge.slug]), data)

    def test_notice_with_photo_is_kept(self):
        response = self.post(photo=SimpleUploadedFile('stone.PNG', PNG))
        self.assertRedirects(response, self.bridge.get_absolute_url())
        notice = Notice.objects.get()
        self.assertEqual(notice.bridge, self.bridge)
        self.assertRegex(notice.photo.name, r'^notices/[0-9a-f]{32}\.png$')

    def test_what_is_no_picture_is_refused(self):
        for name, content in (('a.png', b'<svg onload="x">'), ('a.html', PNG), ('a.png', PDF)):
            with self.subTest(name=name):
                self.assertContains(self.post(photo=SimpleUploadedFile(name, content)), 'This is not')
        self.assertFalse(Notice.objects.exists())

    def test_without_token_is_refused(self):
        with self.assertLogs('django.security.csrf'):
            self.assertEqual(self.post(Client(enforce_csrf_checks=True)).status_code, 403)

    def test_list_is_for_staff(self):
        self.assertRedirects(self.client.get('/notices/'), '/accounts/login/?next=/notices/')
        self.post()
        self.staff()
        self.assertContains(self.client.get('/notices/'), 'A loose stone')

    def test_status_is_changed_by_post(self):
        self.post()
        address = reverse('bridges:notice-status', args=[Notice.objects.get().pk])
        self.assertEqual(self.client.post(address, {'status': 'done'}).status_code, 403)
        self.staff()
        self.assertEqual(self.client.get(address).status_code, 405)
        self.assertEqual(self.client.post(address, {'status': 'lost'}).status_code, 400)
        self.assertRedirects(self.client.post(address, {'status': 'done'}), '/notices/')
        self.assertEqual(Notice.objects.get().status, 'done')


class MediaTest(SiteTest):
    def test_report_is_public(self):
        self.inspection.report.save('report.pdf', SimpleUploadedFile('report.pdf', PDF))
        response = self.client.get(self.inspection.report.url)
        self.assertEqual(response.getvalue(), PDF)
        self.assertEqual(response.headers['Content-Type'], 'application/pdf')
        self.assertIn('sandbox', response.headers['Content-Security-Policy'])
        self.assertEqual(response.headers['X-Content-Type-Options'], 'nosniff')

    def test_photo_is_for_staff(self):
        notice = Notice.objects.create(bridge=self.bridge, name='Ann', message='x')
        notice.photo.save('a.png', SimpleUploadedFile('a.png', PNG))
        self.assertEqual(self.client.get(notice.photo.url).status_code, 404)
        self.staff()
        self.assertEqual(self.client.get(notice.photo.url).getvalue(), PNG)

    def test_what_no_record_names_does_not_exist(self):
        self.staff()
        for path in ('/media/', '/media/none.pdf', '/media/../manage.py', '/media/notices/'):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 404)


class AdminTest(SiteTest):
    def test_lists_and_forms_answer(self):
        self.staff()
        for model, record in (('bridge', self.bridge), ('inspection', self.inspection), ('region', self.region)):
            for path in (f'/admin/bridges/{model}/?q=T', f'/admin/bridges/{model}/{record.pk}/change/', f'/admin/bridges/{model}/add/'):
                with self.subTest(path):
                    self.assertEqual(self.client.get(path).status_code, 200)

    def test_report_must_be_pdf(self):
        self.staff()
        data = {
            'bridge': self.bridge.pk,
            'date': '2025-01-02',
            'kind': 'general',
            'rating': '2',
            'summary': 'fine',
            'report': SimpleUploadedFile('a.pdf', b'MZ'),
            'defects-TOTAL_FORMS': '0',
            'defects-INITIAL_FORMS': '0',
        }
        self.assertContains(self.client.post('/admin/bridges/inspection/add/', data), 'This is not a PDF document')
        data['report'] = SimpleUploadedFile('a.pdf', PDF)
        self.assertEqual(self.client.post('/admin/bridges/inspection/add/', data).status_code, 302)
        self.assertEqual(Inspection.objects.filter(report__startswith='reports/').count(), 1)


class DemoTest(SiteTest):
    def test_fills_an_empty_book_once(self):
        Bridge.objects.all().delete()
        for _ in range(2):
            call_command('demo', stdout=io.StringIO())
        self.assertEqual(Bridge.objects.count(), 40)
        self.assertTrue(self.client.login(username='admin', password='admin'))
        with_report = Inspection.objects.exclude(report='').first()
        self.assertTrue(self.client.get(with_report.report.url).getvalue().startswith(b'%PDF-'))

    @override_settings(IS_LOCAL=False)
    def test_is_refused_on_a_public_site(self):
        with self.assertRaises(CommandError):
            call_command('demo', stdout=io.StringIO())
        self.assertFalse(get_user_model().objects.exists())

    def test_leaves_passwords_alone(self):
        user = get_user_model().objects.create_superuser('admin', password='changed-long-ago')
        call_command('demo', stdout=io.StringIO())
        user.refresh_from_db()
        self.assertTrue(user.check_password('changed-long-ago'))


def make_bridge(region, number, name='Test Bridge', kind='arch'):
    return Bridge.objects.create(
        number=f'T-{number}',
        name=name,
        slug=f'bridge-{number}',
        region=region,
        kind=kind,
        traffic='road',
        material='Stone',
        crosses='the Test',
        built=1900,
        length_m=10,
    )
