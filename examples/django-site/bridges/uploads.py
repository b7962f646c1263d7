"""Uploads come from strangers: their size is limited, their first bytes decide what they are, and their names are ours."""

import uuid
from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible

UPLOAD_BYTES_MAX = 10 * 1024 * 1024

# Only what a browser shows without running it: no HTML, no SVG.
TYPES = {
    '.pdf': 'application/pdf',
    '.jpg': 'image/jpeg',
    '.jpeg': 'image/jpeg',
    '.png': 'image/png',
    '.webp': 'image/webp',
}


@deconstructible
class UploadPath:
    """`upload_to` for a directory of MEDIA_ROOT: a name that nobody can guess, and the file's ending."""

    def __init__(self, directory):
        self.directory = directory

    def __call__(self, instance, name):
        return f'{self.directory}/{uuid.uuid4().hex}{PurePath(name).suffix.lower()}'

    def __eq__(self, other):
        return isinstance(other, UploadPath) and self.directory == other.directory


def validate_image(file):
    validate(file, ('image/jpeg', 'image/png', 'image/webp'), 'a JPEG, PNG or WebP picture')


def validate_report(file):
    validate(file, ('application/pdf',), 'a PDF document')


def validate(file, accepted, described):
    if getattr(file, '_committed', False):
        return  # it was checked when it came
    if file.size > UPLOAD_BYTES_MAX:
        raise ValidationError(f'The file is larger than {UPLOAD_BYTES_MAX // 1024 // 1024} MB.')
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    content_type = type_of(start)
    if content_type not in accepted or TYPES.get(PurePath(file.name).suffix.lower()) != content_type:
        raise ValidationError(f'This is not {described}.')


def type_of(start):
    """The content type that the first bytes of a file tell, or None."""
    if start.startswith(b'%PDF-'):
        return 'application/pdf'
    if start.startswith(b'\xff\xd8\xff'):
        return 'image/jpeg'
    if start.startswith(b'\x89PNG\r\n\x1a\n'):
        return 'image/png'
    if start[:4] == b'RIFF' and start[8:12] == b'WEBP':
        return 'image/webp'
    return None
