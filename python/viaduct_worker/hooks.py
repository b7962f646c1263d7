"""Runs the functions that an application has for moments in the life of a worker and of a release: its hooks."""

from viaduct_worker import load
from viaduct_worker.interface import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from viaduct_worker.messages import Hook, HookPaths


class Hooks:
    """The functions of each hook, with their paths: `module:attribute`."""

    def __init__(self, paths: 'HookPaths', directory: str) -> None:
        """Import all functions. Raise PartError if one cannot be imported or called."""
        self.functions: dict[str, list[tuple[str, Callable[[], object]]]] = {
            'after_fork': [(path, function_at(path, 'after_fork', directory)) for path in paths['after_fork']],
            'before_exit': [(path, function_at(path, 'before_exit', directory)) for path in paths['before_exit']],
            'on_ready': [(path, function_at(path, 'on_ready', directory)) for path in paths['on_ready']],
            'on_reload': [(path, function_at(path, 'on_reload', directory)) for path in paths['on_reload']],
        }

    def run(self, hook: 'Hook') -> None:
        """Run the functions of one hook. Raise PartError if one raises; the following ones then do not run."""
        for path, function in self.functions[hook]:
            call(function, f'its hook {hook} {path} failed')

    def after_fork(self) -> None:
        """Run the hook, and then what the application has registered. Raise PartError if one function raises."""
        self.run('after_fork')
        for function in process.after_fork:  # a function that registers another one is followed by it
            call(function, f'its function {load.name_of(function)}, registered by viaduct.postfork, failed')
        process.has_started = True

    def before_exit(self, log: 'Callable[[str], None]') -> None:
        """Run the hook, and then what the application has registered. Log each failure; the others still run."""
        listed = [(f'hook before_exit {path}', function) for path, function in self.functions['before_exit']]
        listed += [
            (f'function {load.name_of(function)}, registered by viaduct.before_exit,', function)
            for function in process.before_exit
        ]
        for what, function in listed:
            try:
                call(function, f'The {what} failed')
            except load.PartError as error:
                report, reason = load.report(error)
                log(f'{reason}\n{report}')


def function_at(path: str, hook: str, directory: str) -> 'Callable[[], object]':
    module, _, attribute = path.partition(':')
    try:
        function = load.named(load.imported(module, f' in {directory}'), attribute)
        if not callable(function):
            raise load.LoadError(f'it is a {type(function).__name__}, which cannot be called')
    except BaseException as error:
        raise load.PartError(f'its hook {hook} {path} cannot be imported', error) from error
    return function


def call(function: 'Callable[[], object]', failed: str) -> None:
    try:
        function()
    except BaseException as error:
        raise load.PartError(failed, error) from error
