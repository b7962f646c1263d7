"""Templates of Django and Jinja2: each one that is rendered, also those that others include or extend."""

from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace
from viaduct_worker.tracing.texts import clipped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.replacing import Function

UNNAMED = 'a template without a name'


def trace_django_templates(base: 'ModuleType') -> None:
    """Rendering, including and extending meet in this method."""
    replace(base.Template, '_render', rendering)


def rendering(render: 'Function') -> 'Function':
    def record(template: object, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None:
            return render(template, *args, **kwargs)
        __traceback_hide__ = True
        name = getattr(template, 'name', None)
        file = getattr(getattr(template, 'origin', None), 'name', None)
        span = recording.begin(
            'template',
            clipped(name) if isinstance(name, str) else UNNAMED,
            None,
            (file, 1) if type(file) is str and not file.startswith('<') else ('', 0),
        )
        try:
            return render(template, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)

    return record


def trace_django_blocks(loader_tags: 'ModuleType') -> None:
    """A block belongs to the template that has written it, and not to the one whose layout it fills."""
    key = loader_tags.BLOCK_CONTEXT_KEY
    replace(loader_tags.BlockNode, 'render', lambda render: rendering_block(render, key))


def rendering_block(render: 'Function', key: str) -> 'Function':
    """`key` is that of the blocks in the context: of the innermost template that extends, the last one counts."""

    def record(node: 'Any', context: 'Any') -> object:
        recording = running()
        if recording is None:
            return render(node, context)
        __traceback_hide__ = True
        try:
            blocks = context.render_context.get(key)
            block = node if blocks is None else blocks.get_block(node.name) or node
            if not getattr(block.nodelist, 'contains_nontext', True):
                return render(node, context)  # only text: it takes no time
            file = block.origin.name
            name = f'block {block.name} of {block.origin.template_name or UNNAMED}'
            place = ('', 0) if file.startswith('<') else (file, block.token.lineno)
        except Exception:
            recording.note('a block of a template')
            return render(node, context)
        span = recording.begin('template', clipped(name), None, place)
        try:
            return render(node, context)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)

    return record


def trace_jinja2(environment: 'ModuleType') -> None:
    """A template that includes or extends another calls its root function, so this is where all are recorded.

    A template gets the recorder when it is loaded or rendered in a traced request.
    """
    replace(environment.Environment, '_load_template', loading)
    for name in ('render', 'render_async', 'generate', 'generate_async'):
        replace(environment.Template, name, rendering_root)


def loading(load_template: 'Function') -> 'Function':
    def load(environment: object, *args: object, **kwargs: object) -> object:
        template = load_template(environment, *args, **kwargs)
        if running() is not None:
            trace_root(template)
        return template

    return load


def rendering_root(render: 'Function') -> 'Function':
    def record(template: object, *args: object, **kwargs: object) -> object:
        if running() is not None:
            trace_root(template)
        return render(template, *args, **kwargs)

    return record


def trace_root(template: 'Any') -> None:
    root = getattr(template, 'root_render_func', None)
    if root is not None and not hasattr(root, '_viaduct_traced'):
        name: str = getattr(template, 'name', None) or UNNAMED
        file: str = getattr(template, 'filename', None) or ''
        is_asynchronous = root.__code__.co_flags & 0x200  # the flag of an asynchronous generator function
        make = blocks_async if is_asynchronous else blocks
        traced = make(root, name, ('' if file.startswith('<') else file, 1 if file else 0))
        traced._viaduct_traced = True  # type: ignore[attr-defined]  # a mark of ours
        template.root_render_func = traced


def blocks(root: 'Function', name: str, place: tuple[str, int]) -> 'Function':
    def render(*args: object, **kwargs: object) -> 'Iterator[str]':
        recording = running()
        if recording is None:
            yield from root(*args, **kwargs)
            return
        __traceback_hide__ = True
        span = recording.begin('template', name, None, place)
        try:
            yield from root(*args, **kwargs)
        except BaseException as error:
            if not isinstance(error, GeneratorExit):
                recording.fail(span, error)
            raise
        finally:
            recording.end(span)

    return render


def blocks_async(root: 'Function', name: str, place: tuple[str, int]) -> 'Function':
    async def render(*args: object, **kwargs: object) -> 'AsyncIterator[str]':
        recording = running()
        span = None if recording is None else recording.begin('template', name, None, place)
        try:
            async for block in root(*args, **kwargs):
                yield block
        finally:
            if recording is not None and span is not None:
                recording.end(span)

    return render
