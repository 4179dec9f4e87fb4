"""De-identification: DICOM by PS3.15 annex E, NIfTI and pictures, and what the exports say of a study. No torch, no Qt.

Everything that is text is taken out unless it is known to be harmless; what remains is listed in
``docs/DEIDENTIFICATION.md``.
"""
