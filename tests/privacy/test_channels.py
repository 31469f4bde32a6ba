"""No channel lets a secret out: the benchmark of all kinds over all channels, in small."""

from __future__ import annotations

import pytest

from benchmarks import attack_secrets


@pytest.mark.slow
def test_a_few_of_all_kinds_are_stopped_in_every_channel() -> None:
    table = attack_secrets.measured(every=17)
    assert len(table) > 12 and {len(row) for row in table.values()} == {len(attack_secrets.CHANNELS)}
    assert {kind: row for kind, row in table.items() if not all(row.values())} == {}


def test_files_of_this_project_raise_no_alarm() -> None:
    files = attack_secrets.scanned([str(attack_secrets.ROOT / "optimizer")])
    assert files.count > 200 and files.alarms == ()
