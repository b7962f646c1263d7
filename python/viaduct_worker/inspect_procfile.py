"""Reads the line `web:` of a Procfile: which application it serves, and with which settings."""

import os
import re
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from viaduct_worker.messages import Application, Finding

WEB = re.compile(r'^web\s*:\s*(.+)$', re.MULTILINE)
TARGET = re.compile(r'([^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::(.+))?')
BETWEEN_COMMANDS = ('&&', '||', ';', '&', '|')
WITHOUT_VALUE = re.compile(
    r'--(?:no-.+|reload|preload|daemon|check-config|print-config|spew|reuse-port|capture-output|log-syslog|initgroups'
    r'|enable-stdio-inheritance|proxy-protocol|call|master|die-on-term|need-app|enable-threads|lazy-apps|vacuum'
    r'|expose-tracebacks|log-untrusted-proxy-headers|clear-untrusted-proxy-headers)|-[DRM]'
)
"""Flags of the three servers that the next word does not belong to."""

FLAGS = {
    'gunicorn': {
        'application': '--paste --paster',
        'chdir': '--chdir',
        'listen': '-b --bind',
        'threads': '--threads',
        'workers': '-w --workers',
    },
    'uwsgi': {
        'application': '-w --module --wsgi --wsgi-file --ini-paste --ini-paste-logged',
        'callable': '--callable',
        'chdir': '--chdir',
        'listen': '--http --http-socket',
        'threads': '--threads',
        'workers': '-p --processes --workers',
    },
    'waitress-serve': {
        'application': '--app',
        'host': '--host',
        'listen': '--listen',
        'port': '--port',
        'threads': '--threads',
    },
}
"""The flags of each server that matter here, by what they set."""

OF_PLATFORM = re.compile(r'\$\{?(?:PORT|WEB_CONCURRENCY)\b')
"""Viaduct reads these variables itself."""


class Procfile:
    """The command of a server. `target` is (module, callable or None), or None if the command does not name it."""

    def __init__(self, directory: str, server: str, words: list[str]) -> None:
        self.server = server
        given = list(flags(words))
        values = {
            name: value for name, known in FLAGS[server].items() for flag, value in given if flag in known.split()
        }
        positional = [value for flag, value in given if not flag]
        self.directory = os.path.normpath(os.path.join(directory, values.get('chdir', '')))
        named = values.get('application') or (positional[0] if positional and server != 'uwsgi' else '')
        self.target = read_target(named, values.get('callable'), '--call' in words)
        self.settings: dict[str, str] = {name: values[name] for name in ('workers', 'threads') if name in values}
        listen = values.get('listen') or (f'{values.get("host", "")}:{values["port"]}' if 'port' in values else '')
        if listen:
            self.settings['listen'] = re.sub(r'^\*?(?=:)', '0.0.0.0', listen)

    def findings(self, application: 'Application') -> 'Iterator[Finding]':
        """What the Procfile says beyond what is served: another application, and settings."""
        if self.target and not application['name'] and self.target[0] != application['module']:
            yield 'hint', 'Procfile', f'its {self.server} serves another module: {self.target[0]}'
        settings = {name: value for name, value in self.settings.items() if not OF_PLATFORM.search(value)}
        if settings:
            shown = ' '.join(f'--{name} {shlex.quote(value)}' for name, value in settings.items())
            yield 'found', 'Procfile', f'its settings of {self.server} are not used; here they are {shown}'


def read_procfile(directory: str) -> Procfile | None:
    """The command of gunicorn, uWSGI or Waitress in the Procfile; None if there is none."""
    try:
        with open(os.path.join(directory, 'Procfile'), encoding='utf-8', errors='replace') as file:
            found = WEB.search(file.read())
        lexer = shlex.shlex(found[1] if found else '', posix=True, punctuation_chars=';&|')
        lexer.whitespace_split = True
        words = list(lexer)
    except (OSError, ValueError):
        return None
    for index, word in enumerate(words):
        server = os.path.basename(word)
        if server in FLAGS:
            others = words[index + 1 :]
            end = next((at for at, other in enumerate(others) if other in BETWEEN_COMMANDS), len(others))
            return Procfile(directory, server, others[:end])
    return None


def flags(words: list[str]) -> 'Iterator[tuple[str, str]]':
    """(flag, value) for each flag with a value, and ('', word) for each other word."""
    rest = iter(words)
    for word in rest:
        if not word.startswith('-'):
            yield '', word
        elif '=' in word:
            flag, _, value = word.partition('=')
            yield flag, value
        elif not word.startswith('--') and len(word) > 2:
            yield word[:2], word[2:]
        elif not WITHOUT_VALUE.fullmatch(word):
            yield word, next(rest, '')


def read_target(text: str, callable_name: str | None, is_factory: bool) -> tuple[str, str | None] | None:
    if text.endswith('.ini'):
        return text, None
    if text.endswith('.py'):
        text = os.path.normpath(text.removesuffix('.py')).replace(os.sep, '.')
    found = TARGET.fullmatch(text)
    if not found:
        return None
    name = found[2] or callable_name
    return found[1], f'{name}()' if name and is_factory else name
