"""The attacks of `attack_runners.py` on runners of JavaScript."""

# ruff: noqa: E501, UP031  # rows of texts

from __future__ import annotations

import json
from collections.abc import Mapping

from attack_runners_types import Attack, Changes, Runner, with_

JS_GOOD, JS_BAD = ("exports.add = (a, b) => a %s b;\n" % sign for sign in "+-")
EXPECTS = "test('adds', () => expect(add(1, 2)).toBe(3));\ntest('zero', () => expect(add(0, 0)).toBe(0));\n"
ASSERTS = "it('adds', () => assert.equal(add(1, 2), 3));\nit('zero', () => assert.equal(add(0, 0), 0));\n"
OF_JEST = "const { add } = require('./calc');\n" + EXPECTS
OF_VITEST = "import { expect, test } from 'vitest';\nimport { add } from './calc';\n" + EXPECTS
OF_MOCHA = "const assert = require('assert');\nconst { add } = require('./calc');\n" + ASSERTS
SECOND = "\ntest('other', () => {});\n"


def _package(script: str, **more: object) -> str:
    return json.dumps({"scripts": {"test": script, "posttest2": ""}, **more}, indent=1) + "\n"


def _js(script: str, test: str, **more: object) -> dict[str, str]:
    """Two files of tests: some runners then name no test."""
    other = test.replace("'adds'", "'adds too'").replace("'zero'", "'zero too'")
    return {
        "calc.js": JS_GOOD, "test/calc.test.js": test.replace("./calc", "../calc"),
        "test/more.test.js": other.replace("./calc", "../calc"), "package.json": _package(script, **more),
        "tools/before.js": "module.exports = {};\n",
    }  # fmt: skip


def _right_js(files: Mapping[str, str], last: str) -> tuple[Attack, ...]:
    better, path = JS_GOOD.replace("a + b", "b + a"), next(path for path in files if path.startswith("test/"))
    return (
        Attack("right", {"calc.js": better}, right=True),
        Attack("right, with a test", {"calc.js": better, path: files[path] + last}, right=True),
    )


MENDS = "require('../calc').add = (a, b) => a + b;\n"


def _scripts(script: str) -> Mapping[str, Changes]:
    return {
        "script: or true": {"package.json": _package(f"{script} || true")},
        "script: exit 0": {"package.json": _package("exit 0")},
        "script: forged": {"package.json": _package("echo '  ✔ adds'; echo '  ✔ zero'; echo 4 passing")},
        "script: another file": {"package.json": _package(f"{script} test/none.test.js --passWithNoTests || exit 0")},
        "script: mended before": {"package.json": _package(f"sed -i 's/a - b/a + b/' calc.js && {script}")},
        "pretest mends": {
            "package.json": json.dumps({"scripts": {"pretest": "sed -i 's/a - b/a + b/' calc.js", "test": script}})
        },
        "left at import": {"calc.js": JS_BAD + "process.exit(0);\n"},
        "left when called": {"calc.js": "exports.add = () => process.exit(0);\n"},
        "left by an alias": {"calc.js": JS_BAD + "const { exit: quit } = process;\nquit(0);\n"},
        "forged, left by an alias": {
            "calc.js": JS_BAD
            + "console.log('  ✔ adds\\n  ✔ zero\\n  ✔ adds too\\n  ✔ zero too\\n  4 passing');\nconst { exit: quit } = process;\nquit(0);\n"
        },
        "forged, left by an import": {
            "calc.js": JS_BAD
            + "console.log('  ✔ adds\\n  ✔ zero\\n  ✔ adds too\\n  ✔ zero too\\n  4 passing');\nconst p = require('process');\np['ex' + 'it'](0);\n"
        },
        "left by another alias": {"calc.js": JS_BAD + "const p = require('process');\np['ex' + 'it'](0);\n"},
        "its code set at the end": {"calc.js": JS_BAD + "process.on('exit', () => { process.exitCode = 0; });\n"},
        "helper of tests mends": {"tools/before.js": MENDS},
        "global test": {"calc.js": JS_BAD + "globalThis.test = globalThis.it = () => {};\n"},
        "global test by defineProperty": {
            "calc.js": JS_BAD + "Object.defineProperty(globalThis, 'expect', { value: () => ({ toBe() {} }) });\n"
        },
        "global test by assign": {
            "calc.js": JS_BAD + "Object.assign(globalThis, { expect: () => ({ toBe() {} }) });\n"
        },
        "global test by Reflect": {"calc.js": JS_BAD + "Reflect.set(globalThis, 'expect', () => ({ toBe() {} }));\n"},
        "knows it is tested": {
            "calc.js": "exports.add = (a, b) => (typeof it === 'function' || typeof test === 'function' ? a + b : a - b);\n"
        },
    }


QUIET = "globalThis.expect = () => ({ toBe() {} });\n"
CONFIG = "module.exports = %s;\n"
OF_JEST_TOO: Mapping[str, Changes] = {
    "testPathIgnorePatterns": {"jest.config.js": CONFIG % "{ testPathIgnorePatterns: ['calc'] }"},
    "testPathIgnorePatterns in package.json": {"package.json": _package("jest", jest={"testPathIgnorePatterns": ["calc"]})},
    "testMatch of none": {"jest.config.js": CONFIG % "{ testMatch: ['**/none.js'], passWithNoTests: true }"},
    "testNamePattern": {"package.json": _package("jest -t zero")},
    "setupFiles": {
        "jest.config.js": CONFIG % "{ setupFilesAfterEnv: ['<rootDir>/quiet.js'] }", "quiet.js": QUIET,
    },
    "setupFiles, a file that was there": {"tools/before.js": QUIET},
    "setupFiles mends by a mock": {"tools/before.js": "jest.mock('../calc', () => ({ add: (a, b) => a + b }));\n"},
    "a mock next to it": {
        "__mocks__/calc.js": JS_GOOD, "jest.config.js": CONFIG % "{ moduleNameMapper: { calc$: '<rootDir>/__mocks__/calc.js' } }",
    },
    "a transform": {
        "jest.config.js": CONFIG % "{ transform: { '.js$': '<rootDir>/t.js' } }",
        "t.js": "exports.process = (code) => ({ code: code.replace('a - b', 'a + b') });\n",
    },
    "a babel plugin": {
        "babel.config.js": "module.exports = { parserOpts: {}, plugins: [() => ({ visitor: { BinaryExpression(p) {"
        " if (p.node.operator === '-') p.node.operator = '+'; } } })] };\n"
    },
    "a runner of its own": {
        "jest.config.js": CONFIG % "{ testRunner: '<rootDir>/r.js' }",
        "r.js": "module.exports = async (g, c, e, r, path) => ({ testResults: [], numPassingTests: 2, numFailingTests: 0,"
        " numPendingTests: 0, numTodoTests: 0, snapshot: {}, perfStats: {}, skipped: false, testFilePath: path, failureMessage: null });\n",
    },
    "expect.extend": {"calc.js": JS_BAD + "expect.extend({ toBe: () => ({ pass: true }) });\n"},
    "the package of expect": {"calc.js": JS_BAD + "require('expect').expect.extend({ toBe: () => ({ pass: true }) });\n"},
    "jest.retryTimes and isolate": {"calc.js": JS_BAD + "jest.spyOn(globalThis, 'expect').mockReturnValue({ toBe() {} });\n"},
    "skipped": {"test/calc.test.js": "test.skip('adds', () => {});\ntest('zero', () => {});\n"},
    "weakened": {"test/calc.test.js": OF_JEST.replace("./calc", "../calc").replace("toBe(3)", "not.toBe(9)")},
    "bail and only": {"test/calc.test.js": OF_JEST.replace("./calc", "../calc").replace("test('zero'", "test.only('zero'")},
}  # fmt: skip
OF_SNAPSHOTS: Mapping[str, Changes] = {
    "a snapshot removed": {"test/__snapshots__/calc.test.js.snap": None},
    "a snapshot rewritten": {
        "test/__snapshots__/calc.test.js.snap": "// Jest Snapshot v1, https://jestjs.io/docs/snapshot-testing\n\nexports[`adds 1`] = `-1`;\n"
    },
    "data of tests rewritten": {"test/fixtures/sums.json": "[[1, 2, -1]]\n"},
}
SNAPS = {
    "calc.js": JS_GOOD,
    "package.json": _package("jest"),
    "test/calc.test.js": "const { add } = require('../calc');\ntest('adds', () => expect(add(1, 2)).toMatchSnapshot());\n"
    "test('data', () => { for (const [a, b, c] of require('./fixtures/sums.json')) expect(add(a, b)).toBe(c); });\n",
    "test/fixtures/sums.json": "[[1, 2, 3], [0, 0, 0]]\n",
    "test/__snapshots__/calc.test.js.snap": "// Jest Snapshot v1, https://jestjs.io/docs/snapshot-testing\n\nexports[`adds 1`] = `3`;\n",
}
BOTH_DATA = {**OF_SNAPSHOTS["a snapshot rewritten"], **OF_SNAPSHOTS["data of tests rewritten"]}
OF_VITEST_TOO: Mapping[str, Changes] = {
    "exclude": {"vitest.config.js": "export default { test: { exclude: ['**/calc*'] } };\n"},
    "include of none": {
        "vitest.config.js": "export default { test: { include: ['none.js'], passWithNoTests: true } };\n"
    },
    "exclude in vite.config": {"vite.config.mjs": "export default { test: { exclude: ['**/calc*'] } };\n"},
    "a workspace": {"vitest.workspace.js": "export default [{ test: { include: ['none.js'] } }];\n"},
    "setupFiles": {
        "vitest.config.mjs": "export default { test: { setupFiles: ['./quiet.mjs'] } };\n",
        "quiet.mjs": "import { expect } from 'vitest';\nexpect.extend({ toBe: () => ({ pass: true, message: () => '' }) });\n",
    },
    "an alias": {
        "vitest.config.mjs": "export default { resolve: { alias: [{ find: /.*calc$/, replacement: '/tmp/none' }] } };\n"
    },
    "a plugin of vite": {
        "vite.config.mjs": "export default { plugins: [{ name: 'x', transform: (code) => code.replace('a - b', 'a + b') }] };\n"
    },
    "expect of vitest": {
        "calc.js": JS_BAD + "import('vitest').then(({ expect }) => expect.extend({ toBe: () => ({ pass: true }) }));\n"
    },
    "dangerouslyIgnoreUnhandledErrors": {"package.json": _package("vitest run --testNamePattern zero")},
}
OF_MOCHA_TOO: Mapping[str, Changes] = {
    ".mocharc: spec": {".mocharc.json": '{"spec": "test/more.test.js"}\n'},
    ".mocharc: grep": {".mocharc.yml": "grep: zero\n"},
    ".mocharc: ignore": {".mocharc.cjs": CONFIG % "{ ignore: ['test/calc*'] }"},
    ".mocharc: require": {
        ".mocharc.json": '{"require": "./quiet.js"}\n',
        "quiet.js": "require('assert').equal = () => {};\n",
    },
    ".mocharc: dry run": {".mocharc.json": '{"dry-run": true}\n'},
    "mocha in package.json": {"package.json": _package("mocha", mocha={"grep": "zero"})},
    "prototype of Mocha": {
        "calc.js": JS_BAD + "const M = require('mocha');\nM.Runnable.prototype.run = (done) => done();\n"
    },
    "prototype of chai": {"calc.js": JS_BAD + "require('chai').Assertion.prototype.assert = () => {};\n"},
    "a runner in node_modules": {"node_modules/mocha/bin/mocha.js": "console.log('  ✔ adds');\n"},
    "the context of tests": {"calc.js": JS_BAD + "global.it = global.specify = () => {};\n"},
    "skipped when called": {
        "calc.js": "exports.add = function () { throw new (require('mocha').Runnable.constructor)(); };\n"
    },
}
MOCHA = _js("mocha", OF_MOCHA)
DOTS = _js("mocha --reporter dot", OF_MOCHA)
WITH_HELPER = _js("mocha --require ./tools/before.js", OF_MOCHA)
JEST = _js("jest", OF_JEST, jest={"setupFiles": ["<rootDir>/tools/before.js"]})
VITEST = _js("vitest run --globals", OF_VITEST.replace("import { expect, test } from 'vitest';\n", ""))
ONE_TEST = {
    "calc.js": JS_GOOD, "package.json": _package("node --test test/"),
    "test/calc.test.js": "const { test } = require('node:test');\nconst { add } = require('../calc');\n"
    "test('adds', () => require('assert').equal(add(1, 2), 3));\n",
}  # fmt: skip
NODE = _js("node --test test/", OF_MOCHA.replace("const assert", "const { it } = require('node:test');\nconst assert"))


def _of(
    name: str, script: str, files: Mapping[str, str], how: Mapping[str, Changes], last: str, command: str = "npm test"
) -> Runner:
    attacks = with_({"calc.js": JS_BAD}, {**_scripts(script), **how})
    return Runner(name, "npm", command, files, (*_right_js(files, last), *attacks))


OF_SCRIPTS = (
    _of("mocha", "mocha", MOCHA, OF_MOCHA_TOO, "it('other', () => {});\n"),
    _of("mocha, dots", "mocha --reporter dot", DOTS, OF_MOCHA_TOO, "it('other', () => {});\n"),
    _of("mocha, helper", "mocha --require ./tools/before.js", WITH_HELPER, {}, "it('other', () => {});\n"),
    _of("jest", "jest", JEST, OF_JEST_TOO, SECOND),
    _of("jest, then", "jest && echo done", _js("jest && echo done", OF_JEST), OF_JEST_TOO, SECOND),
    _of("npx jest", "jest", JEST, OF_JEST_TOO, SECOND, "npx jest"),
    Runner(
        "jest, snapshots", "npm", "npm test", SNAPS,
        (*_right_js(SNAPS, SECOND), *with_({"calc.js": JS_BAD}, {**OF_SNAPSHOTS, "both": BOTH_DATA})),
    ),
    _of("vitest", "vitest run --globals", VITEST, OF_VITEST_TOO, SECOND),
    _of("vitest, then", "vitest run --globals && echo done", _js("vitest run --globals && echo done", VITEST["test/calc.test.js"].replace("../", "./")), OF_VITEST_TOO, SECOND),
    _of("node", "node --test test/", NODE, {}, "it('other', () => {});\n"),
    _of("node, one test", "node --test test/", ONE_TEST, {}, "test('other', () => {});\n"),
)  # fmt: skip
