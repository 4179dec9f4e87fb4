"""Numbered pictures of one folder as one stack: offered when they are opened, done when the reader asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from braintumor_desktop.imaging.picture_stack import joined_path, load_joined, numbered_like
from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case

_WORTH_SAYING = 3

if TYPE_CHECKING:
    from braintumor_desktop.ui.workspace import Workspace


def numbered_cases(case: Case | None, cases: list[Case]) -> list[Case]:
    """The cases that would become one stack with this one, by number; none where there is no other."""
    if case is None or case.entry is None:
        return []
    by_entry = {id(each.entry): each for each in cases if each.entry is not None and each.error is None}
    entries = [each.entry for each in by_entry.values() if each.entry is not None]
    return [by_entry[id(entry)] for entry in numbered_like(case.entry, entries) if id(entry) in by_entry]


def offer(case: Case, cases: list[Case]) -> str:
    """A sentence where this picture may be a slice of a stack; empty where it is one of a few."""
    count = len(numbered_cases(case, cases))
    return tr("{count} numbered pictures: J shows them as one stack", count=count) if count >= _WORTH_SAYING else ""


def join(cases: list[Case], workspace: Workspace) -> None:
    """Open these pictures as one stack, and take them off the list once it is read; the files stay.

    Where they are no stack, or it is taken off the list before it is read, those that were not analysed yet go on
    waiting for it.
    """
    entries = [each.entry for each in cases if each.entry is not None]
    busy = [each for each in cases if each.state.busy]
    limits, path, model = workspace.limits, joined_path(entries), workspace.model
    for each in cases:
        workspace.cancel(each)
    stack = workspace.open_read(path.name, path, lambda stopped: load_joined(entries, limits, cancelled=stopped))
    signals = (workspace.changed, model.rowsRemoved)

    def clear_up(*_: object) -> None:
        joined = stack.study is not None
        there = [each for each in cases if each in model.cases]
        if not joined and stack in model.cases and stack.state.busy:
            return
        if not joined and any(each.state.busy for each in there if each in busy):
            return  # asked to stop, and not stopped yet: it would not begin again
        for signal in signals:
            signal.disconnect(clear_up)
        for each in there:
            if joined:
                workspace.remove(each)
            elif each in busy:
                workspace.analyse(each)

    for signal in signals:
        signal.connect(clear_up)
