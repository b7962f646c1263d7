from django.conf import settings
from django.utils.cache import patch_cache_control

POLICY = '; '.join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(get_response):
    """Let pages load what this site serves and nothing else. A view may send a stricter policy of its own."""

    def middleware(request):
        response = get_response(request)
        if not (settings.DEBUG and response.status_code >= 400):  # Django's own error pages carry their style inside
            response.headers.setdefault('Content-Security-Policy', POLICY)
        return response

    return middleware


def private_pages(get_response):
    """Keep pages that know their visitor out of shared caches, whatever the view allows: their navigation names who is logged in."""

    def middleware(request):
        response = get_response(request)
        if request.session.accessed and response.headers.get('Content-Type', '').startswith('text/html'):
            patch_cache_control(response, private=True)
        return response

    return middleware
