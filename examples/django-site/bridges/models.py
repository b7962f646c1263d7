from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from .uploads import UploadPath, validate_image, validate_report


class Region(models.Model):
    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ['name']

    def __str__(self):
        return self.name


class BridgeQuerySet(models.QuerySet):
    def with_condition(self):
        """Add `condition`, the rating of the latest inspection, and `inspected_on`, its day; both None before the first."""
        latest = Inspection.objects.filter(bridge=models.OuterRef('pk')).order_by('-date', '-pk')
        return self.annotate(
            condition=models.Subquery(latest.values('rating')[:1]),
            inspected_on=models.Subquery(latest.values('date')[:1]),
        )


class Bridge(models.Model):
    class Kind(models.TextChoices):
        ARCH = 'arch', 'Arch'
        BEAM = 'beam', 'Beam'
        TRUSS = 'truss', 'Truss'
        SUSPENSION = 'suspension', 'Suspension'
        CABLE = 'cable', 'Cable-stayed'

    class Traffic(models.TextChoices):
        ROAD = 'road', 'Road'
        RAIL = 'rail', 'Railway'
        FOOT = 'foot', 'Foot and cycle'

    number = models.CharField(max_length=8, unique=True, help_text='As on the plate, for example W-104.')
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name='bridges')
    kind = models.CharField(max_length=10, choices=Kind)
    traffic = models.CharField(max_length=4, choices=Traffic)
    material = models.CharField(max_length=40)
    crosses = models.CharField(max_length=60, help_text='River, road or railway below.')
    built = models.PositiveSmallIntegerField('year built', validators=[MinValueValidator(1000), MaxValueValidator(2100)])
    length_m = models.DecimalField('length (m)', max_digits=6, decimal_places=1, validators=[MinValueValidator(1)])
    spans = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    description = models.TextField(blank=True)

    objects = BridgeQuerySet.as_manager()

    class Meta:
        ordering = ['name']

    def __str__(self):
        return f'{self.name} ({self.number})'

    def get_absolute_url(self):
        return reverse('bridges:bridge', args=[self.slug])


class Inspection(models.Model):
    class Kind(models.TextChoices):
        GENERAL = 'general', 'General'
        PRINCIPAL = 'principal', 'Principal'
        SPECIAL = 'special', 'Special'

    class Rating(models.IntegerChoices):
        VERY_GOOD = 1, 'Very good'
        GOOD = 2, 'Good'
        FAIR = 3, 'Fair'
        POOR = 4, 'Poor'
        CRITICAL = 5, 'Critical'

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name='inspections')
    inspector = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name='inspections'
    )
    date = models.DateField(db_index=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GENERAL)
    rating = models.PositiveSmallIntegerField(choices=Rating)
    summary = models.TextField()
    report = models.FileField(
        upload_to=UploadPath('reports'), blank=True, validators=[validate_report], help_text='PDF, up to 10 MB.'
    )

    class Meta:
        ordering = ['-date', '-pk']

    def __str__(self):
        return f'{self.bridge.name}, {self.date}'

    def get_absolute_url(self):
        return reverse('bridges:inspection', args=[self.pk])


class Defect(models.Model):
    class Element(models.TextChoices):
        DECK = 'deck', 'Deck'
        PARAPET = 'parapet', 'Parapet'
        BEARING = 'bearing', 'Bearing'
        JOINT = 'joint', 'Joint'
        PIER = 'pier', 'Pier'
        ABUTMENT = 'abutment', 'Abutment'
        DRAINAGE = 'drainage', 'Drainage'

    class Severity(models.IntegerChoices):
        WATCH = 1, 'Watch'
        REPAIR = 2, 'Repair'
        URGENT = 3, 'Urgent'

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name='defects')
    element = models.CharField(max_length=10, choices=Element)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.WATCH)
    note = models.CharField(max_length=200)

    class Meta:
        ordering = ['-severity', 'element']

    def __str__(self):
        return f'{self.get_element_display()}: {self.note}'


class Notice(models.Model):
    """What somebody who passed by told about a bridge."""

    class Status(models.TextChoices):
        NEW = 'new', 'New'
        SEEN = 'seen', 'Being looked at'
        DONE = 'done', 'Done'

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name='notices')
    name = models.CharField('your name', max_length=60)
    email = models.EmailField('e-mail', blank=True, help_text='Only for questions; it is never shown.')
    message = models.TextField('what did you see?', max_length=2000)
    photo = models.FileField(
        upload_to=UploadPath('notices'), blank=True, validators=[validate_image], help_text='JPEG, PNG or WebP, up to 10 MB.'
    )
    status = models.CharField(max_length=4, choices=Status, default=Status.NEW, db_index=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ['-created', '-pk']

    def __str__(self):
        return f'{self.bridge.name}: {self.message[:40]}'
