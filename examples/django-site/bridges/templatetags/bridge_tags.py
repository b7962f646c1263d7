from django import template
from django.templatetags.static import static
from django.utils.html import format_html

from ..models import Inspection

register = template.Library()


@register.simple_tag
def condition(rating):
    """A rating as a coloured word; before the first inspection there is none."""
    if rating is None:
        return format_html('<span class="pill pill-none">{}</span>', 'Not inspected')
    return format_html('<span class="pill pill-{}">{}</span>', rating, Inspection.Rating(rating).label)


@register.simple_tag
def drawing(kind):
    """The picture of a kind of bridge."""
    return format_html('<img src="{}" alt="" width="200" height="90">', static(f'bridges/kinds/{kind}.svg'))
