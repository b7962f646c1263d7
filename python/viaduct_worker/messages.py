"""The JSON that the server and this package exchange. Type checkers import this file; a running worker does not.

`channel.ts` has the other end of the control messages, `zygote-program.ts` that of Options, `discover.ts` that of
Target and Project.
"""

from typing import Literal, TypeAlias, TypedDict


class MiddlewareEntry(TypedDict):
    """`path` is `module:attribute`. `options` become keyword arguments."""

    path: str
    options: dict[str, object]


Hook: TypeAlias = Literal['after_fork', 'before_exit', 'on_ready', 'on_reload']


class HookPaths(TypedDict):
    """The functions of each hook. Each one is `module:attribute`."""

    after_fork: list[str]
    before_exit: list[str]
    on_ready: list[str]
    on_reload: list[str]


class Options(TypedDict):
    """What the zygote receives on its command line. An empty `callable` means the usual names.

    `runtime` and `spool` are private directories. With `adopts`, orphans of the application need a reaper. `preload`
    says whether the zygote imports the application; `when-safe` also means that it starts again without the import if
    forked workers cannot share what the import leaves. `command` starts a zygote, with its options as a further
    argument. Without `runs_hooks`, the hooks are imported and nothing more. With `capture_output`, what requests print
    goes to the server's log. With `application_metrics`, the server reads the metrics of the application. With
    `tracing`, the code for traces is loaded with the application. With `describes_failures`, a failed import is
    reported with the source and the variables of its frames.
    """

    socket: str
    runtime: str
    spool: str
    release: int
    directory: str
    module: str
    callable: str
    factory: bool
    arguments: str
    middleware: list[MiddlewareEntry]
    hooks: HookPaths
    runs_hooks: bool
    application_metrics: bool
    tracing: bool
    describes_failures: bool
    preload: Literal['always', 'when-safe', 'never']
    command: list[str]
    threads: int
    multiprocess: bool
    software: str
    listeners: list[dict[str, str]]
    environ_variables: list[str]
    capture_output: bool
    adopts: bool


class Fork(TypedDict):
    """`socket` and `runtime` replace those of the options: the server may have had to make new ones."""

    kind: Literal['fork']
    worker: int
    socket: str
    runtime: str


class Kill(TypedDict):
    kind: Literal['kill']
    worker: int


class RunHook(TypedDict):
    """The hook runs in a process of its own, which is ended after this time."""

    kind: Literal['hook']
    hook: Literal['on_ready', 'on_reload']
    timeout_ms: int


class Quit(TypedDict):
    kind: Literal['quit']


class Ping(TypedDict):
    """The answer shows that the interpreter still runs."""

    kind: Literal['ping']


class Stacks(TypedDict):
    """The answer has a `ThreadStack` for each thread."""

    kind: Literal['stacks']


class Collect(TypedDict):
    """The answer has the metrics that have no cells if `everything` is wanted; cells are up to date when it comes."""

    kind: Literal['collect']
    everything: bool


class Proof(TypedDict):
    """`data` is base64 of marshalled data, which the worker decodes and sends back."""

    kind: Literal['proof']
    data: str


class Go(TypedDict):
    kind: Literal['go']
    hands_over: bool


class Recall(TypedDict):
    kind: Literal['recall']
    lane: int


class Interrupt(TypedDict):
    """This request has taken too long."""

    kind: Literal['interrupt']
    lane: int
    request: int


class Gone(TypedDict):
    """The client of this request has left."""

    kind: Literal['gone']
    lane: int
    request: int


class Opened(TypedDict):
    """The server has opened the file that this request handed over."""

    kind: Literal['opened']
    lane: int
    request: int


FromServer: TypeAlias = (
    Fork | Kill | RunHook | Quit | Ping | Stacks | Collect | Proof | Go | Recall | Interrupt | Gone | Opened
)


Level: TypeAlias = Literal['error', 'warn', 'info']
"""The level of what a worker writes to the server's log."""


class ThreadStack(TypedDict):
    """Where one thread is. `lane` is the number of the lane that it serves, or None."""

    name: str
    lane: int | None
    stack: str


class Target(TypedDict):
    """What discovery asks for. `module` and `callable`, or `paste`, are what the user named, or None.

    `callable` may be a call. `paste` is a file of PasteDeploy in `directory`, with `#NAME` for one of its applications.
    """

    directory: str
    module: str | None
    callable: str | None
    paste: str | None
    dev: bool


class Application(TypedDict):
    """`arguments` is the source of what a factory is called with. `name` is '' for the usual one, MODULE:CALLABLE."""

    module: str
    callable: str
    factory: bool
    arguments: str
    name: str


Kind: TypeAlias = Literal['django', 'flask', 'wsgi']
Mount: TypeAlias = tuple[str, list[str], bool]
"""URL prefix and directories, of which the first that has the file wins; and whether the prefix is relative.

A relative one (STATIC_URL without a slash at its start) is below the path that the application is mounted at.
"""
Finding: TypeAlias = tuple[Literal['found', 'hint'], str, str]
"""Level, subject and text."""


class Project(TypedDict):
    """What discovery found. `described` is what the log says about the application besides its name."""

    kind: Kind
    directory: str
    application: Application
    described: str
    environment: dict[str, str]
    mounts: list[Mount]
    findings: list[Finding]
