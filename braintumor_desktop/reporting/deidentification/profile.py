"""What the Basic Application Level Confidentiality Profile (PS3.15 table E.1-1, edition 2026c) does with an attribute.

The table is that of the dicom-anonymizer package. Where it leaves a choice that depends on whether an object needs the
attribute (X/Z, X/D, Z/D, X/Z/D), the choice is taken that is allowed in every object: a dummy rather than nothing.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import cache
from typing import Any

Tag = tuple[int, int]


class Action(Enum):
    """X, Z, D and U of PS3.15 table E.1-1."""

    REMOVE = auto()
    EMPTY = auto()
    DUMMY = auto()
    MAP_UID = auto()


DESCRIPTORS: frozenset[Tag] = frozenset(
    {
        (0x0008, 0x1030),  # Study Description
        (0x0008, 0x103E),  # Series Description
        (0x0018, 0x0010),  # Contrast/Bolus Agent
        (0x0018, 0x1030),  # Protocol Name
    }
)
"""Cleaned instead of removed (Clean Descriptors Option, E.3.6): without them a series doesn't tell its sequence."""

STRUCTURED: frozenset[Tag] = frozenset(
    {
        (0x0040, 0xA730),  # Content Sequence (Clean Structured Content Option, E.3.5)
        (0x0040, 0xA043),  # Concept Name Code Sequence
        (0x0008, 0x1140),  # Referenced Image Sequence
        (0x0008, 0x2112),  # Source Image Sequence
        (0x0008, 0x1111),  # Referenced Performed Procedure Step Sequence
    }
)
"""Sequences whose items are cleaned one by one: a report without its tree, or a reference without its UID, is none."""

BIRTH: frozenset[Tag] = frozenset({(0x0010, 0x0030), (0x0010, 0x0032), (0x0010, 0x0033), (0x0010, 0x0034)})
"""Never shifted: a date of birth is no part of the longitudinal option (E.3.9)."""

IDENTIFIERS: frozenset[Tag] = frozenset({(0x0010, 0x0010), (0x0010, 0x0020)})
"""Patient's Name and Patient ID, which get the patient's pseudonym."""

BULK = frozenset(
    {
        "PixelData",
        "FloatPixelData",
        "DoubleFloatPixelData",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "LUTData",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
        "SegmentedRedPaletteColorLookupTableData",
        "SegmentedGreenPaletteColorLookupTableData",
        "SegmentedBluePaletteColorLookupTableData",
    }
)
"""The only attributes of bytes (VR OB, OW, OF, OD, OL, OV) that are kept; their sense leaves no room for text."""


@cache
def basic_profile() -> dict[Tag, Action]:
    """Tag to action, for all attributes the table names by one tag. Groups of tags are `is_graphics`."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table

    actions: dict[Tag, Action] = {}
    for tags, action in (
        (table.X_TAGS, Action.REMOVE),
        (table.Z_TAGS, Action.EMPTY),
        (table.X_Z_TAGS, Action.EMPTY),
        (table.D_TAGS, Action.DUMMY),
        (table.Z_D_TAGS, Action.DUMMY),
        (table.X_D_TAGS, Action.DUMMY),
        (table.X_Z_D_TAGS, Action.DUMMY),
        (table.X_Z_U_STAR_TAGS, Action.MAP_UID),
        (table.U_TAGS, Action.MAP_UID),
    ):
        for tag in tags:
            if len(tag) == 2:
                actions.setdefault(tag, action)
    return actions


def is_graphics(group: int) -> bool:
    """Curves (50xx) and overlays (60xx): table E.1-1 removes their data, and without it the rest of them is void."""
    return (group & 0xFF00) in (0x5000, 0x6000)


_MORE_CODES = {
    ("UCUM", "{pixels}"): "pixels",  # PS3.16 CID 7181 and 7460; a language and a country as TID 1204 writes them
    ("RFC3066", "eng"): "English",
    ("RFC5646", "en"): "English",
    ("RFC5646", "en-US"): "English (United States)",
    ("ISO3166_1", "US"): "United States",
}


@cache
def code_meanings() -> dict[tuple[str, str], str]:
    """Meaning of each code that pydicom's copy of the standard's context groups (PS3.16) knows, by (scheme, value).

    The codes of SNOMED's old style (SRT) that pydicom can translate have the meaning of the code they became.
    """
    from pydicom.sr import _concepts_dict, _snomed_dict

    concepts: Any = _concepts_dict.concepts
    mapping: Any = _snomed_dict.mapping

    meanings = dict(_MORE_CODES)
    meanings |= {
        (scheme, value): meaning
        for scheme, keywords in concepts.items()
        for values in keywords.values()
        for value, (meaning, _groups) in values.items()
    }
    for old, new in mapping["SRT"].items():
        meanings[("SRT", old)] = meanings.get(("SCT", new), f"SNOMED CT {new}")
    return meanings
