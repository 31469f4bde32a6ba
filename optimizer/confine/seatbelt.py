"""A profile of Seatbelt, by which `sandbox-exec` of macOS holds a command; a module with few imports.

Of the rules that decide about the same thing, the last one counts. What programs need to start at all is taken from
profiles that are in use: openai/codex (`seatbelt_base_policy.sbpl`, `restricted_read_only_platform_defaults.sbpl`),
google-gemini/gemini-cli (`baseProfile.ts`), NixOS/nix (`sandbox-defaults.sb`).
"""

# ruff: noqa: PTH120  # pathlib costs more than all that is here

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SYSCTLS = (
    "hw.activecpu", "hw.byteorder", "hw.cacheconfig", "hw.cachelinesize_compat", "hw.cpufamily", "hw.cpufrequency",
    "hw.cputype", "hw.l1dcachesize_compat", "hw.l1icachesize_compat", "hw.l2cachesize_compat", "hw.l3cachesize_compat",
    "hw.logicalcpu", "hw.logicalcpu_max", "hw.machine", "hw.memsize", "hw.model", "hw.ncpu", "hw.nperflevels",
    "hw.packages", "hw.pagesize", "hw.pagesize_compat", "hw.physicalcpu", "hw.physicalcpu_max", "hw.vectorunit",
    "kern.argmax", "kern.hostname", "kern.maxfilesperproc", "kern.maxproc", "kern.osproductversion", "kern.osrelease",
    "kern.ostype", "kern.osvariant_status", "kern.osversion", "kern.secure_kernel", "kern.usrstack64", "kern.version",
    "machdep.cpu.brand_string", "sysctl.proc_cputype", "vm.loadavg",
)  # fmt: skip
"""What a program may ask of the machine: nothing of other processes, whose arguments and variables are there too."""
_BASE = f"""(version 1)
(deny default)
(import "system.sb")
(deny network*)
(deny sysctl-read)
(allow process-exec)
(allow process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow mach-host*)
(allow ipc-posix-sem)
(allow system-socket (socket-domain AF_UNIX))
(allow sysctl-read
  {" ".join(f'(sysctl-name "{name}")' for name in _SYSCTLS)}
  (sysctl-name-prefix "hw.optional.arm") (sysctl-name-prefix "hw.perflevel"))
(allow sysctl-write (sysctl-name "kern.grade_cputype"))
(allow mach-lookup
  (global-name "com.apple.system.opendirectoryd.libinfo")
  (global-name "com.apple.system.opendirectoryd.membership"))
(allow pseudo-tty)
(allow file-read* (literal "/") (literal "/dev/random") (literal "/dev/urandom"))
(allow file-read* file-write-data (literal "/dev/null") (literal "/dev/zero") (subpath "/dev/fd"))
(allow file-read* file-write* file-ioctl (literal "/dev/ptmx"))
(allow file-read* file-write* file-ioctl
  (require-all (regex #"^/dev/ttys[0-9]+") (extension "com.apple.sandbox.pty")))
(allow file-read-metadata (literal "/dev") (literal "/etc") (literal "/tmp") (literal "/var"))
"""


def profile(mounts: Sequence[tuple[str, str, bool]], links: Iterable[tuple[str, str]], area: str) -> str:
    """The text of a profile: what `mounts` name may be read, or written too, where it really is, and nothing else.

    `mounts` (source, target, writable) and `links` (path, text) are those of a `View`, with those last that lie in
    others; where one shows the empty folder of `area`, its target is hidden. No socket leads out of what may be
    written: macOS has one loopback for all, with the servers of the user.
    """
    rules = [_BASE]
    for source, target, writable in mounts:
        if source == f"{area}/empty":
            rules.append(f"(deny file-read* file-write* file-map-executable {_below(target)})")
        else:
            more = " file-write*" if writable else ""
            rules.append(f"(allow file-read* file-map-executable{more} {_below(source)})")
    shown = [source for source, _, _ in mounts]
    rules += [f'(allow file-read-metadata (literal "{_quoted(path)}"))' for path in sorted({*_above(shown)})]
    rules += [f'(allow file-read* (literal "{_quoted(path)}"))' for path, _ in links]
    for source in dict.fromkeys(source for source, _, writable in mounts if writable):
        rules.append(f"(allow network-bind network-inbound (local unix-socket {_below(source)}))")
        rules.append(f"(allow network-outbound (remote unix-socket {_below(source)}))")
    return "\n".join([*rules, "(deny file-write-setugid)", ""])


def _above(paths: Iterable[str]) -> Iterator[str]:
    """The folders on the way to some paths: programs ask what these are."""
    for path in paths:
        while (path := os.path.dirname(path)) not in ("", "/"):
            yield path


def _below(path: str) -> str:
    return f'(subpath "{_quoted(path)}")'


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')
