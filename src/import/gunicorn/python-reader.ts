/**
 * A Python program that reads assignments from standard input and writes them as JSON. It evaluates constants and what is certain to be
 * computed from them. It runs nothing of what it reads. An expression is evaluated twice: once with the defaults of environment variables,
 * and once with `$NAME` in their place, which gives the text that a shell would complete.
 */
export const PYTHON_READER = `
import ast, json, os.path, string, sys

LENGTH_MAX = 100_000
SAFE_METHODS = ('strip', 'lstrip', 'rstrip', 'lower', 'upper', 'split', 'join', 'format', 'replace', 'startswith', 'endswith', 'removeprefix', 'removesuffix')

class Unknown(Exception):
    pass

class Missing(Exception):
    pass

class Processors:
    pass

def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return dotted(node.value) + '.' + node.attr
    return '?'

def is_plain_format(template):
    parts = string.Formatter().parse(template)
    return all(not spec and not conversion and (name or 'x').isidentifier() or (name or '').isdigit() for _, name, spec, conversion in parts)

NUMBERS = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.FloorDiv: lambda a, b: a // b, ast.Div: lambda a, b: a / b}
COMPARISONS = {
    ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b, ast.IsNot: lambda a, b: a is not b,
    ast.Lt: lambda a, b: a < b, ast.Gt: lambda a, b: a > b, ast.LtE: lambda a, b: a <= b, ast.GtE: lambda a, b: a >= b,
}

class Evaluation:
    def __init__(self, known, symbolic):
        self.known = known
        self.symbolic = symbolic
        self.names = []

    def value(self, node):
        method = getattr(self, 'of_' + type(node).__name__, None)
        if method is None:
            raise Unknown
        result = method(node)
        if isinstance(result, (str, list)) and len(result) > LENGTH_MAX:
            raise Unknown
        return result

    def variable(self, name, *default):
        if not isinstance(name, str):
            raise Unknown
        if name not in self.names:
            self.names.append(name)
        if self.symbolic:
            return '$' + name
        if not default:
            raise Missing
        return default[0]

    def of_Constant(self, node):
        if node.value is None or isinstance(node.value, (str, int, float, bool)):
            return node.value
        raise Unknown

    def of_List(self, node):
        return [self.value(one) for one in node.elts]

    of_Tuple = of_List

    def of_Dict(self, node):
        return {str(self.value(key)): self.value(value) for key, value in zip(node.keys, node.values)}

    def of_Name(self, node):
        if node.id == '__file__':
            return './file'
        if node.id not in self.known:
            raise Unknown
        result, names = self.known[node.id]
        self.names += [one for one in names if one not in self.names]
        if isinstance(result, Exception):
            raise result
        return result

    def of_UnaryOp(self, node):
        operand = self.value(node.operand)
        if isinstance(node.op, ast.Not) and not self.symbolic:
            return not operand
        if isinstance(node.op, ast.USub) and isinstance(operand, (int, float)):
            return -operand
        raise Unknown

    def of_JoinedStr(self, node):
        return ''.join(str(self.text(one)) for one in node.values)

    def text(self, node):
        if isinstance(node, ast.FormattedValue):
            if node.format_spec is not None or node.conversion not in (-1, 115):
                raise Unknown
            node = node.value
        result = self.value(node)
        if isinstance(result, Processors):
            raise Unknown
        return result

    def of_BinOp(self, node):
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            items = tuple(right) if isinstance(right, list) else right
            if any(isinstance(one, Processors) for one in (items if isinstance(items, tuple) else (items,))):
                raise Unknown
            return (left.replace('%d', '%s') if self.symbolic else left) % items
        if type(node.op) not in NUMBERS:
            raise Unknown
        if isinstance(left, Processors) or isinstance(right, Processors):
            return Processors()
        if isinstance(left, str) and isinstance(right, str):
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, ast.Div):
                return os.path.normpath(os.path.join(left, right))
        if isinstance(left, list) and isinstance(right, list) and isinstance(node.op, ast.Add):
            return left + right
        if isinstance(left, (int, float)) and isinstance(right, (int, float)) and max(abs(left), abs(right)) < 2 ** 40:
            return NUMBERS[type(node.op)](left, right)
        raise Unknown

    def of_BoolOp(self, node):
        result = None
        for one in node.values:
            result = self.value(one)
            if self.symbolic and isinstance(result, str) and '$' in result:
                return result
            if isinstance(result, Processors) or bool(result) == isinstance(node.op, ast.Or):
                return result
        return result

    def of_Compare(self, node):
        if self.symbolic or len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
            raise Unknown
        return COMPARISONS[type(node.ops[0])](self.value(node.left), self.value(node.comparators[0]))

    def of_IfExp(self, node):
        if self.symbolic:
            raise Unknown
        return self.value(node.body if self.value(node.test) else node.orelse)

    def of_Subscript(self, node):
        if dotted(node.value) in ('os.environ', 'environ'):
            return self.variable(self.value(node.slice))
        return self.value(node.value)[self.value(node.slice)]

    def of_Attribute(self, node):
        if node.attr == 'parent':
            return os.path.dirname(self.value(node.value)) or '.'
        raise Unknown

    def of_Call(self, node):
        name = dotted(node.func)
        last = name.split('.')[-1]
        if last in ('cpu_count', 'process_cpu_count') and not node.args:
            return Processors()
        if name == 'len' and isinstance(node.args[0], ast.Call) and dotted(node.args[0].func) == 'os.sched_getaffinity':
            return Processors()
        if name in ('os.environ.get', 'os.getenv', 'environ.get', 'getenv', 'os.environ.setdefault'):
            default = None
            if len(node.args) > 1 and not self.symbolic:
                default = self.value(node.args[1])
            return self.variable(self.value(node.args[0]), default)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ('resolve', 'absolute', 'as_posix') and not node.args:
            return self.value(node.func.value)
        arguments = [self.value(one) for one in node.args]
        if name in ('os.path.abspath', 'os.path.realpath', 'Path', 'pathlib.Path', 'abspath', 'realpath') and len(arguments) == 1:
            return arguments[0]
        if name in ('os.path.dirname', 'dirname'):
            return os.path.dirname(*arguments) or '.'
        if name == 'os.path.join':
            return os.path.normpath(os.path.join(*arguments))
        if name in ('int', 'str', 'float', 'bool', 'min', 'max', 'round'):
            return self.converted(name, arguments)
        if isinstance(node.func, ast.Attribute) and last in SAFE_METHODS and not (self.symbolic and last not in ('strip', 'format', 'join')):
            owner = self.value(node.func.value)
            keywords = {one.arg or '': self.value(one.value) for one in node.keywords}
            if isinstance(owner, str) and '' not in keywords and not any(isinstance(one, Processors) for one in [*arguments, *keywords.values()]):
                if last == 'format' and not is_plain_format(owner):
                    raise Unknown
                return getattr(owner, last)(*arguments, **keywords)
        raise Unknown

    def converted(self, name, arguments):
        if any(isinstance(one, Processors) for one in arguments):
            if name == 'str':
                raise Unknown
            return Processors()
        if self.symbolic and any(isinstance(one, str) for one in arguments):
            if name in ('int', 'str', 'float') and len(arguments) == 1:
                return arguments[0]
            raise Unknown
        if arguments == [None] and name in ('int', 'float'):
            raise Missing
        return {'int': int, 'str': str, 'float': float, 'bool': bool, 'min': min, 'max': max, 'round': round}[name](*arguments)

FAULTS = (Unknown, AttributeError, ZeroDivisionError, ValueError, TypeError, KeyError, IndexError, OverflowError)

def evaluate(node, known, symbolic):
    run = Evaluation(known, symbolic)
    try:
        return run.value(node), run.names
    except (Missing, *FAULTS) as error:
        return error, run.names

def described(plain, symbolic):
    result, names = plain
    text = symbolic[0] if isinstance(symbolic[0], str) else None
    if isinstance(result, Processors):
        return {'kind': 'processors', 'names': names}
    if isinstance(result, Missing) or (names and result is None):
        return {'kind': 'environment', 'names': names, 'value': None, 'text': text}
    if isinstance(result, Exception):
        return {'kind': 'other'}
    if names:
        return {'kind': 'environment', 'names': names, 'value': result, 'text': text}
    return {'kind': 'literal', 'value': result}

def read(text):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return {'line': error.lineno or 1, 'error': error.msg}
    except (ValueError, RecursionError) as error:
        return {'line': 1, 'error': str(error)}
    found = []
    plain, symbolic = {}, {}
    def assign(node, name, expression):
        lines = (ast.get_source_segment(text, node) or '').split('\\n')
        plain[name], symbolic[name] = evaluate(expression, plain, False), evaluate(expression, symbolic, True)
        shown = ' '.join(line.strip() for line in lines[:4])
        found.append({'name': name, 'line': node.lineno, 'text': shown, 'value': described(plain[name], symbolic[name])})
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.Pass)) or (isinstance(node, ast.ImportFrom) and node.names[0].name != '*'):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) and node.value else []
        if targets and all(isinstance(one, ast.Name) for one in targets):
            for one in targets:
                assign(node, one.id, node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            assign(node, node.target.id, ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append({'name': node.name, 'line': node.lineno, 'text': 'def ' + node.name, 'value': {'kind': 'function'}})
        else:
            first = (ast.get_source_segment(text, node) or '').split('\\n')[0].strip()
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    plain.pop(inner.id, None)
                    symbolic.pop(inner.id, None)
            found.append({'name': '', 'line': node.lineno, 'text': first, 'value': {'kind': 'other'}})
    return found

sys.stdin.reconfigure(encoding='utf-8', errors='replace')
sys.stdout.reconfigure(encoding='utf-8')
print(json.dumps(read(sys.stdin.read())))
`;
