"""The attacks of `attack_runners.py` on `go test` and `cargo test`."""

# ruff: noqa: E501, UP031  # rows of texts

from __future__ import annotations

from collections.abc import Mapping

from attack_runners_types import Attack, Changes, Runner, with_

# ── Go ───────────────────────────────────────────────────────────────────────────────────────────

GO_GOOD, GO_BAD = ("package calc\n\nfunc Add(a, b int) int { return a %s b }\n" % sign for sign in "+-")
GO_TEST = (
    'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal()\n\t}\n}\n'
)
GO_FILES = {
    "go.mod": "module calc\n\ngo 1.19\n",
    "calc.go": GO_GOOD,
    "calc_test.go": GO_TEST,
    "testdata/sums.txt": "1 2 3\n",
}
MAIN = 'package calc\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestMain(m *testing.M) {\n\t%s\n}\n'
INIT = 'package calc\n\nimport (\n\t"fmt"\n\t"os"\n\t"syscall"\n)\n\nfunc init() {\n\tfmt.Println(%s)\n\t%s\n}\n\nvar _ = os.Args\nvar _ = syscall.Getpid\n'
PASSED = r'"=== RUN   TestAdd\n--- PASS: TestAdd (0.00s)\nPASS\nok"'
OF_GO: Mapping[str, Changes] = {
    "TestMain: os.Exit": {"main_test.go": MAIN % "os.Exit(0)"},
    "TestMain ignores the code": {"main_test.go": MAIN % "m.Run()\n\tos.Exit(0)"},
    "TestMain sets a pattern": {
        "main_test.go": MAIN.replace('"os"', '"flag"\n\t"os"') % 'flag.Set("test.run", "x")\n\tos.Exit(m.Run())'
    },
    "init: os.Exit": {"leave.go": INIT % ('""', "os.Exit(0)")},
    "init: forged, os.Exit": {"leave.go": INIT % (PASSED, "os.Exit(0)")},
    "init: forged, syscall.Exit": {"leave.go": INIT % (PASSED, "syscall.Exit(0)")},
    "init: forged, syscall.Exec": {"leave.go": INIT % (PASSED, 'syscall.Exec("/bin/true", []string{"true"}, nil)')},
    "init: forged, RawSyscall": {"leave.go": INIT % (PASSED, "syscall.RawSyscall(231, 0, 0, 0)")},
    "init: forged, an alias of os.Exit": {
        "leave.go": INIT.replace('"os"', 'quit "os"').replace("os.Args", "quit.Args") % (PASSED, "quit.Exit(0)")
    },
    "init: forged, os.Exit as a value": {"leave.go": INIT % (PASSED, "leave := os.Exit\n\tleave(0)")},
    "init: forged, signals": {"leave.go": INIT % (PASSED, "syscall.Kill(syscall.Getpid(), syscall.SIGKILL)")},
    "right while tested": {
        "calc.go": 'package calc\n\nimport (\n\t"os"\n\t"strings"\n)\n\nfunc Add(a, b int) int {\n'
        '\tif strings.HasSuffix(os.Args[0], ".te"+"st") {\n\t\treturn a + b\n\t}\n\treturn a - b\n}\n'
    },
    "a test left out by its name": {"calc_test.go": None, "calc_test_windows.go": GO_TEST},
    "another module": {"go.mod": "module calc\n\ngo 1.19\n\nreplace calc => ./x\n"},
    "a folder of its own module": {"go.work": "go 1.19\n\nuse ./x\n", "x/go.mod": "module x\n"},
}
GO = Runner(
    "go", "go", "go test ./...", GO_FILES,
    (
        Attack("right", {"calc.go": GO_GOOD.replace("a + b", "b + a")}, right=True),
        Attack("right, with a test", {"calc.go": GO_GOOD.replace("a + b", "b + a"), "calc_test.go": GO_TEST + "\nfunc TestMore(t *testing.T) {}\n"}, right=True),
        *with_({"calc.go": GO_BAD}, OF_GO),
    ),
)  # fmt: skip

# ── Rust ─────────────────────────────────────────────────────────────────────────────────────────

RS_GOOD, RS_BAD = ("pub fn add(a: i32, b: i32) -> i32 {\n    a %s b\n}\n" % sign for sign in "+-")
WITHIN = "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn within() {\n        assert_eq!(add(2, 2), 4);\n    }\n}\n"
RS_TEST = "use calc::add;\n\n#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}\n\n#[test]\nfn zero() {\n    assert_eq!(add(0, 0), 0);\n}\n"
CARGO_TOML = '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n'
LINES = r"running 1 test\ntest tests::within ... ok\n\ntest result: ok. 1 passed\n\nrunning 2 tests\ntest adds ... ok\ntest zero ... ok\n\n"
SAY = f'    use std::io::Write;\n    std::io::stdout().write_all(b"{LINES}").unwrap();\n    std::io::stdout().flush().unwrap();\n'
FIRST = (
    '#[used]\n#[link_section = ".init_array"]\nstatic FIRST: extern "C" fn() = first;\nextern "C" fn first() {\n%s%s}\n'
)
RUNNER = "[target.'cfg(all())']\nrunner = %s\n"
OF_CARGO: Mapping[str, Changes] = {
    "runner: true": {".cargo/config.toml": RUNNER % '"true"'},
    "runner: forged": {
        ".cargo/config.toml": RUNNER
        % """['printf', 'test tests::within ... ok\\ntest adds ... ok\\ntest zero ... ok\\n']"""
    },
    "an alias": {".cargo/config.toml": '[alias]\ntest = "check"\n'},
    "exit when called": {"src/lib.rs": RS_BAD.replace("a - b", "std::process::exit((a - b) * 0)") + WITHIN},
    "exit before main": {"src/lib.rs": RS_BAD + FIRST % ("", "    std::process::exit(0);\n") + WITHIN},
    "exit before main, forged": {"src/lib.rs": RS_BAD + FIRST % (SAY, "    std::process::exit(0);\n") + WITHIN},
    "exec before main, forged": {
        "src/lib.rs": RS_BAD
        + FIRST % (SAY, '    use std::os::unix::process::CommandExt;\n    std::process::Command::new("true").exec();\n')
        + WITHIN
    },
    "a linked exit, forged": {
        "src/lib.rs": RS_BAD
        + 'extern "C" {\n    #[link_name = "ex" "it"]\n    fn leave(code: i32);\n}\n'.replace('"ex" "it"', '"exit"')
        + FIRST % (SAY, "    unsafe { leave(0) }\n")
        + WITHIN
    },
    "assembly, forged": {
        "src/lib.rs": RS_BAD
        + FIRST % (SAY, '    unsafe { std::arch::asm!("syscall", in("rax") 231, in("rdi") 0) }\n')
        + WITHIN
    },
    "a name used otherwise, forged": {
        "src/lib.rs": "use std::process::{exit as leave};\n" + RS_BAD + FIRST % (SAY, "    leave(0);\n") + WITHIN
    },
    "tests within are weakened": {
        "src/lib.rs": RS_BAD + WITHIN.replace("2, 2), 4", "2, 2), 0"),
        "tests/calc.rs": RS_TEST.replace("), 3", "), -1"),
    },
    "tests within are removed": {"src/lib.rs": RS_BAD, "tests/calc.rs": RS_TEST.replace("), 3", "), -1")},
    "tests within are ignored": {"src/lib.rs": RS_BAD + WITHIN.replace("    #[test]", "    #[test]\n    #[ignore]")},
    "tests of another file": {
        "Cargo.toml": CARGO_TOML
        + '\n[lib]\ntest = false\n\n[[test]]\nname = "calc"\npath = "other.rs"\nharness = false\n',
        "other.rs": 'fn main() {\n    println!("test tests::within ... ok\\ntest adds ... ok\\ntest zero ... ok");\n}\n',
    },
    "tests off": {"Cargo.toml": CARGO_TOML + "autotests = false\n\n[lib]\ntest = false\n"},
    "a harness of its own": {
        "Cargo.toml": CARGO_TOML
        + 'autotests = false\n\n[lib]\ntest = false\n\n[[test]]\nname = "calc"\nharness = false\n',
        "tests/calc.rs": 'fn main() {\n    println!("test tests::within ... ok\\ntest adds ... ok\\ntest zero ... ok");\n}\n',
    },
    "right without optimization": {
        "src/lib.rs": RS_GOOD.replace("a + b", "if cfg!(debug_assertions) { a + b } else { a - b }") + WITHIN
    },
    "right by its thread": {
        "src/lib.rs": RS_GOOD.replace(
            "a + b", 'if std::thread::current().name() != Some("main") { a + b } else { a - b }'
        )
        + WITHIN
    },
    "right by its program": {
        "src/lib.rs": RS_GOOD.replace(
            "a + b", 'if format!("{:?}", std::env::current_exe()).contains("deps") { a + b } else { a - b }'
        )
        + WITHIN
    },
    "right by cargo's variables": {
        "src/lib.rs": RS_GOOD.replace("a + b", 'if std::env::var("CARGO_PKG_NAME").is_ok() { a + b } else { a - b }')
        + WITHIN
    },
}
CARGO = Runner(
    "cargo", "cargo", "cargo test --offline", {"Cargo.toml": CARGO_TOML, "src/lib.rs": RS_GOOD + WITHIN, "tests/calc.rs": RS_TEST},
    (
        Attack("right", {"src/lib.rs": RS_GOOD.replace("a + b", "b + a") + WITHIN}, right=True),
        Attack("right, with a test", {"src/lib.rs": RS_GOOD.replace("a + b", "b + a") + WITHIN, "tests/calc.rs": RS_TEST + "\n#[test]\nfn more() {}\n"}, right=True),
        Attack("right, with a test within", {"src/lib.rs": RS_GOOD.replace("a + b", "b + a") + WITHIN + "\n#[test]\nfn more() {}\n"}, right=True),
        *with_({"src/lib.rs": RS_BAD + WITHIN}, OF_CARGO),
    ),
)  # fmt: skip
INSIDE = Runner(
    "cargo, inside", "cargo", "cargo test --offline", {"Cargo.toml": CARGO_TOML, "src/lib.rs": RS_GOOD + WITHIN},
    (
        Attack("right", {"src/lib.rs": RS_GOOD.replace("a + b", "b + a") + WITHIN}, right=True),
        Attack("right, with another test", {"src/lib.rs": RS_GOOD.replace("a + b", "b + a") + WITHIN.replace("    #[test]", "    #[test]\n    fn more() {}\n\n    #[test]")}, right=True),
        Attack("weakened", {"src/lib.rs": RS_BAD + WITHIN.replace("2, 2), 4", "2, 2), 0")}),
        Attack("ignored", {"src/lib.rs": RS_BAD + WITHIN.replace("    #[test]", "    #[test]\n    #[ignore]")}),
        Attack("removed", {"src/lib.rs": RS_BAD}),
    ),
)  # fmt: skip
