"""Files in, `Study` out; and what it takes to show pixels: windowing, overlays and the synthetic phantom."""

from braintumor_desktop.imaging.load import Limits, find_inputs, load, load_pasted

__all__ = ["Limits", "find_inputs", "load", "load_pasted"]
