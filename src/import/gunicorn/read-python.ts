import { spawnSync } from 'node:child_process';
import { ViaductError } from '../../errors.ts';
import type { Statement } from '../import-report.ts';
import { refused } from '../refused.ts';

/** A Python value, as far as it can be read without running the file. */
export type PythonValue =
  | { readonly kind: 'literal'; readonly value: unknown }
  /** The number of processors, multiplied by `times`, plus `plus`. */
  | { readonly kind: 'processors' }
  /** An environment variable and its default, or null without a default. */
  | { readonly kind: 'environment'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'function' }
  | { readonly kind: 'other' };

/** `name = value` at the top level of a Python file, or a function with this name. */
export interface Assignment extends Statement {
  readonly name: string;
  readonly value: PythonValue;
}

const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
const TIME_MS_MAX = 20_000;

/**
 * Reads the assignments of a Python file with Python's own parser. The file is not run.
 *
 * @throws ViaductError `SETTINGS` with the line of a syntax error, `PYTHON_MISSING` without a python3
 */
export function readPython(text: string, file: string): Assignment[] {
  const { stdout, stderr, error, status } = spawnSync('python3', ['-I', '-c', SCRIPT], {
    input: text,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: TIME_MS_MAX,
  });
  if (error !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') {
    throw new ViaductError('PYTHON_MISSING', `Cannot read ${file}: there is no python3 to read Python with`, {
      advice: 'Install Python 3.10 or later.',
      cause: error,
    });
  }
  if (error !== undefined || status !== 0) {
    throw new ViaductError('SETTINGS', `Cannot read ${file}: Python cannot parse it`, { cause: error ?? stderr });
  }
  const read = JSON.parse(stdout) as { line: number; error: string } | readonly Omit<Assignment, 'file'>[];
  if ('error' in read) throw refused({ file, line: read.line }, read.error);
  return read.map((one) => ({ ...one, file }));
}

const SCRIPT = `
import ast, json, sys

NUMBERS = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.FloorDiv: lambda a, b: a // b}
known = {}

class Unknown(Exception):
    pass

def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return dotted(node.value) + '.' + node.attr
    return '?'

def is_processors(node):
    name = dotted(node.func) if isinstance(node, ast.Call) and not node.args else ''
    if name.split('.')[-1] in ('cpu_count', 'process_cpu_count'):
        return True
    if isinstance(node, ast.Call) and dotted(node.func) in ('min', 'max', 'int'):
        return any(is_processors(one) for one in node.args)
    if isinstance(node, ast.BoolOp):
        return any(is_processors(one) for one in node.values)
    if isinstance(node, ast.BinOp):
        return is_processors(node.left) or is_processors(node.right)
    return isinstance(node, ast.Name) and known.get(node.id, {}).get('kind') == 'processors'

def environment(node):
    if isinstance(node, ast.Call) and dotted(node.func) in ('int', 'str', 'float', 'bool') and len(node.args) == 1:
        inner = environment(node.args[0])
        if inner and isinstance(inner['value'], str) and dotted(node.func) in ('int', 'float'):
            try:
                inner['value'] = int(inner['value'])
            except ValueError:
                pass
        return inner
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        inner = environment(node.values[0])
        if inner and inner['value'] is None:
            inner['value'] = literal(node.values[1])
        return inner
    if isinstance(node, ast.Call) and dotted(node.func) in ('os.environ.get', 'os.getenv', 'environ.get', 'getenv') and node.args:
        return {'kind': 'environment', 'name': literal(node.args[0]), 'value': literal(node.args[1]) if len(node.args) > 1 else None}
    if isinstance(node, ast.Subscript) and dotted(node.value) in ('os.environ', 'environ'):
        return {'kind': 'environment', 'name': literal(node.slice), 'value': None}
    return None

def literal(node):
    if isinstance(node, ast.Constant):
        if node.value is None or isinstance(node.value, (str, int, float, bool)):
            return node.value
        raise Unknown
    if isinstance(node, (ast.List, ast.Tuple)):
        return [literal(one) for one in node.elts]
    if isinstance(node, ast.Dict):
        return {str(literal(key)): literal(value) for key, value in zip(node.keys, node.values)}
    if isinstance(node, ast.Name) and known.get(node.id, {}).get('kind') == 'literal':
        return known[node.id]['value']
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -literal(node.operand)
    if isinstance(node, ast.JoinedStr):
        return ''.join(str(literal(one.value if isinstance(one, ast.FormattedValue) else one)) for one in node.values)
    if isinstance(node, ast.BinOp) and type(node.op) in NUMBERS:
        left, right = literal(node.left), literal(node.right)
        if isinstance(left, str) and isinstance(right, str) and isinstance(node.op, ast.Add):
            return left + right
        if isinstance(left, int) and isinstance(right, int) and max(abs(left), abs(right)) < 2 ** 40:
            return NUMBERS[type(node.op)](left, right)
    raise Unknown

def value_of(node):
    if is_processors(node):
        return {'kind': 'processors'}
    try:
        return environment(node) or {'kind': 'literal', 'value': literal(node)}
    except (Unknown, AttributeError, ZeroDivisionError):
        return {'kind': 'other'}

def read(text):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return {'line': error.lineno or 1, 'error': error.msg}
    except (ValueError, RecursionError) as error:
        return {'line': 1, 'error': str(error)}
    found = []
    def add(node, name, value):
        lines = (ast.get_source_segment(text, node) or '').split('\\n')
        known[name] = value
        found.append({'name': name, 'line': node.lineno, 'text': ' '.join(line.strip() for line in lines[:4]), 'value': value})
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) and node.value else []
        if targets and all(isinstance(one, ast.Name) for one in targets):
            for one in targets:
                add(node, one.id, value_of(node.value))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append({'name': node.name, 'line': node.lineno, 'text': 'def ' + node.name, 'value': {'kind': 'function'}})
        else:
            first = (ast.get_source_segment(text, node) or '').split('\\n')[0].strip()
            found.append({'name': '', 'line': node.lineno, 'text': first, 'value': {'kind': 'other'}})
    return found

sys.stdin.reconfigure(encoding='utf-8', errors='replace')
sys.stdout.reconfigure(encoding='utf-8')
print(json.dumps(read(sys.stdin.read())))
`;
