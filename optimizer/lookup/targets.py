"""Rename what is asked for: a definition, or an attribute, a parameter or a variable of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.lookup.fields import attribute
from optimizer.lookup.names import definitions
from optimizer.lookup.questions import Citation, Lookup, LookupResult
from optimizer.lookup.rename import rename
from optimizer.lookup.variables import rename_variable

if TYPE_CHECKING:
    from optimizer.index.reader import Index


def rename_target(lookup: Lookup, index: Index) -> LookupResult:
    """The patch that renames a definition, parameter or variable; raises what `rename` and `rename_variable` raise."""
    found = definitions(index, lookup.subject, lookup.within)
    if not lookup.target and (fields := attribute(lookup, index)) and all(one.kind == "method" for one in found):
        return rename(lookup, index, fields)
    if not lookup.target and found:
        return rename(lookup, index)
    renamed = rename_variable(lookup, index)
    if renamed is None and lookup.target:
        holder = lookup.subject.rpartition(".")[0]
        return LookupResult((Citation(f"{holder} is no function, method or class with a constructor here"),), False)
    return rename(lookup, index) if renamed is None else renamed
