"""Turn texts into vectors with a local model; one is only downloaded when asked for explicitly."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import ConfigError, NotFound
from optimizer.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTALL = "in a clone of optimizer: pip install '.[embeddings]'"
LOCAL = "check the network, or name a directory of the model's files in semantic.model_path"
FETCH = "optimize index --embed --download fetches it once; or name a directory of its files in semantic.model_path"
BATCH = 16
SAMPLE_BYTES = 65_536
SAMPLES = 16


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model: its fastembed name, the directory of its files ("": downloaded ones), and where downloads are kept.

    With a directory the name still says how the output of the network becomes one vector.
    """

    name: str
    directory: str
    fetched: Path

    @property
    def id(self) -> str:
        """The key of this model's vectors: moving the files keeps it, other files change it."""
        folder = Path(self.directory)
        return f"{self.name} {_digest(folder)}" if self.directory else self.name


def choice_from(settings: Settings, cache: Path) -> ModelChoice:
    """The model that the settings name; `cache` is the folder of all caches."""
    directory = str(Path(settings.semantic_model_path).expanduser()) if settings.semantic_model_path else ""
    return ModelChoice(settings.semantic_model, directory, cache / "models")


def installed() -> bool:
    """Whether the extra `embeddings` is installed; loads nothing."""
    return importlib.util.find_spec("fastembed") is not None


class Embedder:
    """A loaded model; its vectors have length 1 and are given as float16, little-endian."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def embed(self, texts: Sequence[str]) -> Iterator[bytes]:
        """One vector for each text, in order."""
        vectors: Iterable[Any] = self._model.embed(list(texts), batch_size=BATCH)
        for vector in vectors:
            yield vector.astype("<f2").tobytes()


def open_model(choice: ModelChoice, *, download: bool = False) -> Embedder:
    """Load a model, without any network unless `download` allows it for one that is named.

    Raises NotFound when the extra or the model is not here, ConfigError when fastembed cannot use it.
    """
    if not installed():
        raise NotFound("the extra `embeddings` is not installed", INSTALL)
    importlib.import_module("loguru").logger.disable("fastembed")  # the errors below say what it would print
    fastembed: Any = importlib.import_module("fastembed")
    known = {model["model"].lower() for model in fastembed.TextEmbedding.list_supported_models()}
    if choice.name.lower() not in known:
        raise ConfigError(f"fastembed has no model {choice.name!r}", "set semantic.model to one of its names")
    if choice.directory and not Path(choice.directory).is_dir():
        raise NotFound(f"semantic.model_path is not a directory: {choice.directory}", "name the directory of a model")
    local = {"specific_model_path": choice.directory} if choice.directory else {}
    try:
        model = fastembed.TextEmbedding(
            choice.name, cache_dir=str(choice.fetched), local_files_only=bool(local) or not download, **local
        )
    except Exception as error:  # fastembed raises classes of its own, derived from Exception
        why = " ".join(str(error).split())[:200]
        if choice.directory:
            hint = "name the directory of a model in ONNX form, made for the name in semantic.model"
            raise ConfigError(f"the model in {choice.directory} cannot be used: {why}", hint) from error
        if download:
            raise NotFound(f"the model {choice.name} could not be fetched: {why}", LOCAL) from error
        raise NotFound(f"the model {choice.name} is not on this machine", FETCH) from error
    return Embedder(model)


def _digest(folder: Path) -> str:
    """A digest of the model's files: their names and sizes, and samples of what they hold."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".onnx", ".json", ".onnx_data")):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            for place in range(SAMPLES):
                file.seek(place * max(SAMPLE_BYTES, size // SAMPLES))
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
