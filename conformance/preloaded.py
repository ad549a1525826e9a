"""Everything that trials need, imported once: the processes of a run are forked from the one that has imported this.

It starts nothing and keeps no state: a process that is forked from here is as fresh as one that imports all of it by itself.
"""

from __future__ import annotations

import gc

from conformance import check, saboteurs, subject

__all__: list[str] = []

check.load()
saboteurs.load()
for _name in subject.built():
    subject.load(_name)
gc.collect()
gc.freeze()
