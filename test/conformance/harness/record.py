"""What became of each test, and whether it went through the server."""

import json
import traceback
import unittest

from .server import POOL


class Record:
    """Outcomes by test name. A test that never asked the server counts for nothing: it is a number in `elsewhere`."""

    def __init__(self):
        self.tests = {}
        self.elsewhere = 0
        self.asked = 0

    def begin(self):
        self.asked = POOL.asked

    def end(self, name, outcome, detail=''):
        if POOL.asked == self.asked:
            self.elsewhere += 1
        else:
            self.tests[name] = {'outcome': outcome, 'detail': detail}

    def write(self, path):
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'tests': self.tests, 'elsewhere': self.elsewhere}, file)


def result_class(record):
    """A `unittest` result that keeps `record`."""

    class Result(unittest.TextTestResult):
        def startTest(self, test):
            self.outcome, self.detail = 'passed', ''
            record.begin()
            super().startTest(test)

        def stopTest(self, test):
            super().stopTest(test)
            record.end(test.id(), self.outcome, self.detail)

        def addError(self, test, err):
            self.note(err)
            super().addError(test, err)

        def addFailure(self, test, err):
            self.note(err)
            super().addFailure(test, err)

        def addSubTest(self, test, subtest, err):
            if err is not None:
                self.note(err)
            super().addSubTest(test, subtest, err)

        def addSkip(self, test, reason):
            self.outcome, self.detail = 'skipped', reason
            super().addSkip(test, reason)

        def note(self, err):
            said = traceback.format_exception_only(err[0], err[1])[-1].strip()
            self.outcome, self.detail = 'failed', said.partition('\n')[0]

    return Result
