"""Stand-ins for the library `keyring`, which needs a desktop: folders to put on PYTHONPATH."""

from __future__ import annotations

from pathlib import Path

_BACKEND = """
import json, os
from pathlib import Path

class Keyring:
    path = Path(os.environ["HOME"]) / "stand-in-keyring.json"
    def _all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}
    def set_password(self, service, name, key):
        self.path.write_text(json.dumps({**self._all(), f"{service} {name}": key[::-1]}))
    def get_password(self, service, name):
        found = self._all().get(f"{service} {name}")
        return found and found[::-1]
    def delete_password(self, service, name):
        self.path.write_text(json.dumps({k: v for k, v in self._all().items() if k != f"{service} {name}"}))
"""


def stand_in(folder: Path, module: str = "keyring.backends.SecretService") -> str:
    """A library whose keyring is of this module; it keeps keys reversed in a file of the home."""
    files = {
        "keyring/__init__.py": f"def get_keyring():\n    from {module} import Keyring\n    return Keyring()\n",
        "keyring/errors.py": "class KeyringError(Exception): pass\n",
        "keyring/backends/__init__.py": "",
        f"{module.replace('.', '/')}.py": _BACKEND,
    }
    for name in {*files, *(str(Path(name).parent / "__init__.py") for name in files)}:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, ""))
    return str(folder)
