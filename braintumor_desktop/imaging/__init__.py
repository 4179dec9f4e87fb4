"""Files in, `Study` out; and what it takes to show pixels: windowing, overlays and the synthetic phantom."""

from braintumor_desktop.imaging.catalog import Catalog, Entry, Problem, list_inputs
from braintumor_desktop.imaging.limits import Limits
from braintumor_desktop.imaging.load import find_inputs, load, load_pasted

__all__ = ["Catalog", "Entry", "Limits", "Problem", "find_inputs", "list_inputs", "load", "load_pasted"]
