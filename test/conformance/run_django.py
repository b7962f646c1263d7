"""Runs labels of Django's own suite: `run_django.py TESTS RESULT LABEL…`.

TESTS is the directory `tests` of its source archive, RESULT the file that tells what became of each test.
"""

import os
import runpy
import sys


def main():
    tests, result, *labels = sys.argv[1:]
    from harness import django_live
    from harness.record import Record, result_class

    from django.test.runner import DiscoverRunner

    record = Record()
    DiscoverRunner.get_resultclass = lambda self: result_class(record)
    django_live.install()
    os.chdir(tests)
    sys.path[0] = tests
    sys.argv = ['runtests.py', '--parallel=1', *labels]
    try:
        runpy.run_path('runtests.py', run_name='__main__')
    finally:
        record.write(result)


main()
