"""The hut book: who passed Curlew Hut, where they came from, and what they saw."""

import hmac
import os
import secrets
import sqlite3
from datetime import datetime
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, flash, g, redirect, render_template, request
from flask import send_from_directory, session, url_for

BASE_DIR = Path(__file__).resolve().parent
ENTRIES_PER_PAGE = 8
LENGTH_MAX = {'name': 60, 'place': 60, 'message': 1000}
# What a photo may be, by its first bytes; its name is ours, so that the ending is true.
PHOTO_TYPES = {b'\xff\xd8\xff': '.jpg', b'\x89PNG\r\n\x1a\n': '.png'}

book = Blueprint('book', __name__)


def create_app(var_dir=None):
    """Make the application. All that it writes is below `var_dir`."""
    app = Flask(__name__)
    var_dir = Path(var_dir or os.environ.get('HUTBOOK_VAR') or BASE_DIR / 'var')
    (var_dir / 'photos').mkdir(parents=True, exist_ok=True)
    app.config.update(
        SECRET_KEY=os.environ.get('FLASK_SECRET_KEY') or kept_secret(var_dir / 'secret-key'),
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        SESSION_COOKIE_SAMESITE='Lax',
        DATABASE=var_dir / 'book.sqlite3',
        PHOTOS=var_dir / 'photos',
    )
    app.register_blueprint(book)
    app.teardown_appcontext(close_database)
    app.after_request(add_headers)
    app.add_template_filter(show_day, 'day')
    app.jinja_env.globals['form_token'] = form_token
    with app.app_context():
        database().executescript((BASE_DIR / 'schema.sql').read_text(encoding='utf-8'))
    return app


@book.get('/')
def entries():
    count = database().execute('SELECT count(*) FROM entry').fetchone()[0]
    pages = max(1, -(-count // ENTRIES_PER_PAGE))
    page = request.args.get('page', 1, type=int)
    if not 1 <= page <= pages:
        abort(404)
    offset = (page - 1) * ENTRIES_PER_PAGE
    rows = database().execute('SELECT * FROM entry ORDER BY id DESC LIMIT ? OFFSET ?', (ENTRIES_PER_PAGE, offset))
    return render_template('entries.html', entries=rows, count=count, page=page, pages=pages, limits=LENGTH_MAX)


@book.post('/')
def write():
    token = session.get('token', '')
    if not token or not hmac.compare_digest(token.encode(), request.form.get('token', '').encode()):
        abort(403)
    entry = {field: request.form.get(field, '').strip() for field in LENGTH_MAX}
    mistakes = [f'Please fill in: {field}.' for field in ('name', 'message') if not entry[field]]
    mistakes += [f'Too long: {field}.' for field, limit in LENGTH_MAX.items() if len(entry[field]) > limit]
    upload = request.files.get('photo')
    photo = keep_photo(upload) if upload and not mistakes else None
    if upload and not mistakes and photo is None:
        mistakes.append('The photo must be a JPEG or PNG.')
    for mistake in mistakes:
        flash(mistake, 'mistake')
    if not mistakes:
        with database() as transaction:
            transaction.execute(
                'INSERT INTO entry (name, place, message, photo) VALUES (:name, :place, :message, :photo)',
                {**entry, 'photo': photo},
            )
        flash('It is in the book. Safe journey!')
    return redirect(url_for('book.entries'), code=303)


@book.get('/photos/<name>')
def photo(name):
    return send_from_directory(current_app.config['PHOTOS'], name, max_age=365 * 24 * 3600)


@book.get('/book.txt')
def whole_book():
    """The whole book as text, read from the database while it is sent."""

    def lines(path):
        # A connection of its own: that of the request is closed before the body is sent.
        connection = connect(path)
        try:
            for row in connection.execute('SELECT * FROM entry ORDER BY id'):
                yield f'{show_day(row["written"])}, {row["name"]} ({row["place"] or "from somewhere"}):\n{row["message"]}\n\n'
        finally:
            connection.close()

    response = Response(lines(current_app.config['DATABASE']), mimetype='text/plain')
    response.headers['Content-Disposition'] = 'attachment; filename=hut-book.txt'
    return response


@book.get('/health')
def health():
    database().execute('SELECT 1')
    return {'status': 'ok'}


def keep_photo(upload):
    """Store an upload under a name of our own; None when it is not a photo."""
    start = upload.stream.read(16)
    upload.stream.seek(0)
    suffix = next((suffix for magic, suffix in PHOTO_TYPES.items() if start.startswith(magic)), None)
    if suffix is None:
        return None
    name = secrets.token_hex(16) + suffix
    upload.save(current_app.config['PHOTOS'] / name)
    return name


def form_token():
    """What a form of this site carries and a forged one cannot know."""
    if 'token' not in session:
        session['token'] = secrets.token_urlsafe(32)
    return session['token']


def show_day(written):
    day = datetime.fromisoformat(written.replace('Z', '+00:00'))
    return f'{day.day} {day:%B %Y}'


def add_headers(response):
    response.headers.setdefault('Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'; form-action 'self'")
    response.headers.setdefault('X-Content-Type-Options', 'nosniff')
    response.headers.setdefault('Referrer-Policy', 'same-origin')
    return response


def database():
    """The connection of this request."""
    if 'database' not in g:
        g.database = connect(current_app.config['DATABASE'])
    return g.database


def connect(path):
    # A writer waits for another one; threads of one worker never share a connection, but may close each other's.
    connection = sqlite3.connect(path, timeout=20, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def close_database(_error):
    connection = g.pop('database', None)
    if connection is not None:
        connection.close()


def kept_secret(path):
    """A key for signing cookies, made at the first start and kept for the next. Several workers may start at once: the first one wins."""
    mine = path.with_name(f'{path.name}.{os.getpid()}')
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, 'w', encoding='ascii') as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    mine.unlink()
    return path.read_text(encoding='ascii')
