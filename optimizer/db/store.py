"""Open SQLite safely: write-ahead log, a schema version, and a damaged store moved aside and created again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import NamedTuple

from optimizer.errors import UPGRADE, StorageError

BUSY_SECONDS = 30.0
_IN_THE_WAY = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FOREIGN = ("no such table", "no such column")

NO_STEPS: Mapping[int, str] = MappingProxyType({})


class Schema(NamedTuple):
    """What a store must look like; `migrations[v]` takes version v to v + 1; a `cache` may be created again."""

    name: str
    version: int
    create: str
    migrations: Mapping[int, str] = NO_STEPS
    cache: bool = False


class Opened(NamedTuple):
    """An open connection in autocommit mode, and one line to show when the old store was put aside."""

    connection: sqlite3.Connection
    notice: str = ""


def open_db(path: Path, schema: Schema) -> Opened:
    """Open or create the store at `path`.

    A damaged or foreign file is renamed to `<name>.damaged-N` and created again; so is a version of a cache that no
    migration knows.
    Raises StorageError when the place cannot be used, or when a newer program wrote a store that is not a cache.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return Opened(_connect(path, schema))
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not is_damage(error) and not path.is_dir():
                raise
            aside = put_aside(path)
            return Opened(_connect(path, schema), replaced(schema, error, aside))
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or error
        raise StorageError(
            f"cannot use the {schema.name} at {path}: {why}",
            "check the disk and its permissions, or set OPTIMIZER_HOME",
        ) from error


class Store:
    """A store that is opened at its first use; `tell` gets a line for people when a damaged one is put aside."""

    def __init__(self, path: Path, schema: Schema, tell: Callable[[str], None]) -> None:
        self.path = path
        self._schema, self._tell = schema, tell
        self._opened: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was used since it was made or closed."""
        return self._opened is not None

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """The connection; an error of SQLite is raised as StorageError."""
        try:
            if self._opened is None:
                opened = open_db(self.path, self._schema)
                self._opened = opened.connection
                if opened.notice:
                    self._tell(opened.notice)
            yield self._opened
        except sqlite3.Error as error:
            raise failed(self._schema, self.path, error, self.close) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction."""
        with self.connected() as db, transaction(db):
            yield db

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that is done meanwhile, or nothing; other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def is_damage(error: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether an error means that the store itself is broken, not that the disk or another process is in the way.

    A broken schema may make sqlite3 fail on its own error message, with a UnicodeDecodeError.
    """
    if isinstance(error, sqlite3.ProgrammingError):
        return False
    return getattr(error, "sqlite_errorcode", 0) & 0xFF not in _IN_THE_WAY


def is_broken(error: sqlite3.Error) -> bool:
    """Whether a statement failed since the file of an open store is damaged, or not the one that was written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _BROKEN or str(error).startswith(_FOREIGN)


def failed(schema: Schema, path: Path, error: sqlite3.Error, close: Callable[[], None]) -> StorageError:
    """The error to raise when a statement fails; a store that turns out to be damaged is closed and put aside first."""
    if is_broken(error):
        close()
        return StorageError(replaced(schema, error, put_aside(path)), "run the command again")
    return StorageError(f"cannot use the {schema.name} at {path}: {error}", "check the disk, or remove it")


def replaced(schema: Schema, error: object, aside: Path) -> str:
    """The line to show for a damaged store that was put aside."""
    return f"the {schema.name} was damaged ({error}): it was put aside as {aside.name}, and a new one begun"


def put_aside(path: Path) -> Path:
    """Rename a damaged store and its log files out of the way; returns the new path of the store."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def _connect(path: Path, schema: Schema) -> sqlite3.Connection:
    if path.is_dir():
        raise sqlite3.DatabaseError("it is a directory")
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _log_ahead(connection)
        connection.execute(f"PRAGMA synchronous={'NORMAL' if schema.cache else 'FULL'}")
        if _version(connection) != schema.version:
            _upgrade(connection, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; while another process does so, SQLite refuses at once, whatever the timeout."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if (
                error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                or monotonic() > deadline
            ):
                raise
            sleep(0.02)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _upgrade(connection: sqlite3.Connection, schema: Schema) -> None:
    with transaction(connection):
        version = _version(connection)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and not tables:
            _script(connection, schema.create)
        elif version > schema.version and not schema.cache:
            raise StorageError(
                f"the {schema.name} was written by a newer version of optimizer",
                UPGRADE,
            )
        elif version != schema.version:
            steps = range(version, schema.version)
            if not steps or any(step not in schema.migrations for step in steps):
                raise sqlite3.DatabaseError(f"it has version {version}, this program writes {schema.version}")
            for step in steps:
                _script(connection, schema.migrations[step])
        connection.execute(f"PRAGMA user_version={schema.version}")


def _script(connection: sqlite3.Connection, script: str) -> None:
    for statement in filter(None, (part.strip() for part in script.split(";\n"))):
        connection.execute(statement)
