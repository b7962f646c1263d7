"""What discovery answers about an application without Django's settings."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Application, Kind, Project


def plain_result(
    directory: str, module: str, name: str = '', factory: bool = False, kind: 'Kind' = 'wsgi', arguments: str = ''
) -> 'Project':
    """Without a `name`, only the import shows which callable of the module it is."""
    return {
        'kind': kind,
        'directory': directory,
        'environment': {},
        'mounts': [],
        'findings': [],
        'application': application(module, name, factory, arguments),
        'described': 'Flask' if kind == 'flask' else '',
    }


def application(module: str, name: str, factory: bool = False, arguments: str = '') -> 'Application':
    return {'module': module, 'callable': name, 'factory': factory, 'arguments': arguments, 'name': ''}
