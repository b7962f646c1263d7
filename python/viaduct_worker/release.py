"""One release of the application as a process has it: the application inside its middleware, and the hooks."""

from viaduct_worker import capture, load
from viaduct_worker.hooks import Hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Options


class Release:
    def __init__(self, options: 'Options') -> None:
        """Import everything. Raise what the import raises; `load.report` describes it."""
        if options['capture_output']:
            capture.install()
        self.application = load.load(options)
        self.hooks = Hooks(options['hooks'], options['directory'])
        if options['tracing']:
            import viaduct_worker.tracing.request  # noqa: F401  # takes memory; the first traced request needs it
