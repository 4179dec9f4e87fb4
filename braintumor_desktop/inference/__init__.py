"""Preprocess, run a network, explain, measure and judge quality. No Qt here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from braintumor_desktop.inference.analyzer import Analyzer

__all__ = ["Analyzer"]


def __getattr__(name: str) -> Any:
    """`Analyzer` on first use: it brings torch, which takes seconds to import."""
    if name == "Analyzer":
        from braintumor_desktop.inference.analyzer import Analyzer

        return Analyzer
    raise AttributeError(name)
