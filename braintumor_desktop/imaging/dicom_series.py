"""Which DICOM slices make one stack, in which order, and what is odd about them.

One series may mix stacks: they are told apart by size, plane, image type, echo time, b-value and inversion time. Slices
are ordered by where they lie along the normal of their plane, never by name or number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.phrases import phrase, phrase_of_count
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.imaging.dicom_header import SliceHeader
from braintumor_desktop.imaging.files import FileRef
from braintumor_desktop.imaging.orientation import LPS_TO_RAS, edge_directions

SAME_POSITION_MM = 0.01
UNEVEN_SHARE = 0.02
"""Steps that differ by more than this share of the usual one are uneven, unless positions are merely rounded."""
ROUNDED_MM, ROUNDED_SHARE = 0.1, 0.1
"""No slice is further than this, and than this share of the step, from where even steps put it: rounded positions."""
_ECHO_SHARE = 0.01  # echo and inversion times of one stack may be told with another number of digits
_MOST_MISSING = 10  # times the slices there are: more is another explanation's work
_SAME_PLANE = 0.9999985  # cosine: 0.1 degrees
_TILT_DEGREES = 0.5


@dataclass(frozen=True)
class Slice:
    """One slice and the file it is in."""

    ref: FileRef
    header: SliceHeader


@dataclass(frozen=True)
class Stack:
    """Slices in order, of one or more volumes at the same places (moments, directions): frames[number][slice].

    part, parts: which stack of its series this is; notes: what was odd.
    """

    frames: tuple[tuple[Slice, ...], ...]
    notes: tuple[str, ...] = ()
    part: int = 1
    parts: int = 1

    @property
    def slices(self) -> tuple[Slice, ...]:
        return self.frames[0]


def make_stacks(slices: Sequence[Slice]) -> list[Stack]:
    """Everything that was found, as stacks, in the order of their first slices."""
    series: dict[tuple[str, ...], list[list[Slice]]] = {}
    for each in slices:
        groups = series.setdefault(_series_key(each), [])
        for group in groups:
            if _same_stack(group[0].header, each.header):
                group.append(each)
                break
        else:
            groups.append([each])
    stacks = []
    for groups in series.values():
        planes = len({_plane(group[0].header) for group in groups} - {None})
        for number, group in enumerate(groups, 1):
            stack = _order(group)
            notes = stack.notes
            if len(groups) > 1:
                words = (
                    phrase(
                        "The series mixes {count} stacks of {planes} planes; this is number {number}.",
                        count=len(groups),
                        planes=planes,
                        number=number,
                    )
                    if planes > 1
                    else phrase(
                        "The series mixes {count} stacks; this is number {number}.", count=len(groups), number=number
                    )
                )
                notes = (words, *notes)
            stacks.append(replace(stack, notes=notes, part=number, parts=len(groups)))
    found = {id(each): index for index, each in enumerate(slices)}
    return sorted(stacks, key=lambda s: min(found[id(each)] for frame in s.frames for each in frame))


def geometry_of(slices: Sequence[Slice]) -> tuple[Geometry, tuple[str, ...]]:
    """Geometry of ordered slices, and what is odd about their places. Nothing is assumed that the files don't say."""
    first = slices[0].header
    spacing = first.spacing
    frame_of_reference = first.file.frame_of_reference
    positions = _positions(slices)
    if positions is None or first.orientation is None:
        if len(slices) == 1:
            return Geometry(spacing, orientation=_letters(first), frame_of_reference_uid=frame_of_reference), ()
        note = phrase("The file does not say where its slices lie; they are shown in the order they are numbered.")
        between = first.between
        if between is not None and between < (1 - UNEVEN_SHARE) * (first.thickness or 0.0):
            between = None  # some scanners write the gap into this field
        return Geometry(spacing, between, _letters(first), frame_of_reference_uid=frame_of_reference), (note,)
    places = positions @ normal_of(first)
    steps = np.diff(places)
    step = float(np.median(steps)) if len(steps) else None
    even = step is None or _evenly_spaced(places, step)
    affine = None
    if spacing is not None and even:
        affine = _affine(first, spacing, positions, step)
    geometry = Geometry(
        pixel_spacing_mm=spacing,
        # The mean is exact where rounding makes single steps jitter.
        slice_spacing_mm=float((places[-1] - places[0]) / len(steps)) if even and len(steps) else None,
        orientation=_letters(first),
        affine=affine,
        slice_positions_mm=tuple(round(float(place), 4) for place in places),
        frame_of_reference_uid=frame_of_reference,
    )
    notes = _step_notes(steps, step, even, first) if step is not None else ()
    return geometry, notes + _tilt_note(positions, normal_of(first))


def _evenly_spaced(places: NDArray[np.float64], step: float) -> bool:
    if np.abs(np.diff(places) - step).max() <= max(SAME_POSITION_MM, UNEVEN_SHARE * step):
        return True
    away = np.abs(places - np.linspace(places[0], places[-1], len(places)))
    return bool(away.max() <= min(ROUNDED_MM, ROUNDED_SHARE * step) * 1.001)


def normal_of(header: SliceHeader) -> NDArray[np.float64]:
    """Row direction × column direction, LPS. The header must have an orientation."""
    row, column = np.array(header.orientation).reshape(2, 3)
    return np.asarray(np.cross(row, column))


def _series_key(each: Slice) -> tuple[str, ...]:
    facts = each.header.file
    if facts.series_uid:
        return facts.study_uid, facts.series_uid
    return "", "", str(each.ref.path.parent), facts.series_description  # some anonymisers remove UIDs


def _same_stack(one: SliceHeader, other: SliceHeader) -> bool:
    if (one.rows, one.columns, one.stack) != (other.rows, other.columns, other.stack):
        return False
    if (one.file.samples, one.file.frame_of_reference) != (other.file.samples, other.file.frame_of_reference):
        return False
    if not all(_same_time(*pair) for pair in zip(one.times, other.times, strict=True)):
        return False
    if not np.allclose(one.spacing or (0, 0), other.spacing or (0, 0), atol=1e-3):
        return False
    if one.orientation is None or other.orientation is None:
        return one.orientation == other.orientation
    cosines = (np.array(one.orientation) * np.array(other.orientation)).reshape(2, 3).sum(axis=1)
    return bool(cosines.min() > _SAME_PLANE)


def _same_time(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one == other
    return abs(one - other) <= _ECHO_SHARE * max(abs(one), abs(other))


def _plane(header: SliceHeader) -> tuple[float, ...] | None:
    return None if header.orientation is None else tuple(np.round(header.orientation, 1))


def _order(group: list[Slice]) -> Stack:
    kept, notes = _without_copies(group)
    positions = _positions(kept)
    if positions is None or kept[0].header.orientation is None:
        ordered = sorted(kept, key=_number)
        return Stack((tuple(ordered),), notes)
    places = positions @ normal_of(kept[0].header)
    by_place: list[list[Slice]] = []
    last, same = -np.inf, _same_place_mm(places)
    for index in np.argsort(places, kind="stable"):
        if places[index] - last > same:
            by_place.append([])
            last = places[index]
        by_place[-1].append(kept[index])
    counts = {len(each) for each in by_place}
    for each in by_place:
        each.sort(key=_number)
    if len(counts) == 1:
        return Stack(tuple(zip(*by_place, strict=True)), notes)
    surplus = len(kept) - len(by_place)
    if surplus:
        words = phrase_of_count(
            "{count} slice lies where another already is; only the first of each place by number is shown.",
            "{count} slices lie where another already is; only the first of each place by number is shown.",
            surplus,
        )
        notes = (*notes, words)
    return Stack((tuple(each[0] for each in by_place),), notes)


def _same_place_mm(places: NDArray[np.float64]) -> float:
    """How far apart slices of several moments may lie that are meant to be at one place: what positions are rounded by.

    Most of it a small part of the step, which the larger ones of the distances show even where moments alternate.
    """
    if len(places) < 2:
        return SAME_POSITION_MM
    step = float(np.percentile(np.diff(np.sort(places)), 90))
    return max(SAME_POSITION_MM, min(ROUNDED_MM, UNEVEN_SHARE * step))


def _without_copies(group: list[Slice]) -> tuple[list[Slice], tuple[str, ...]]:
    """The same instance twice (copied, or compressed again): the one without loss stays, else the first."""
    best: dict[tuple[object, ...], Slice] = {}
    for index, each in enumerate(group):
        header = each.header
        # Some anonymisers give all slices one UID.
        key = (header.file.sop_uid or index, header.frame, header.position, header.file.instance)
        if key not in best or (best[key].header.file.lossy and not each.header.file.lossy):
            best[key] = each
    copies = len(group) - len(best)
    if not copies:
        return group, ()
    words = phrase_of_count("{count} copy of a slice was left out.", "{count} copies of slices were left out.", copies)
    return list(best.values()), (words,)


def _number(each: Slice) -> tuple[object, ...]:
    header = each.header
    return (header.temporal, header.file.acquisition, header.file.instance, header.frame, str(each.ref.path))


def _positions(slices: Sequence[Slice]) -> NDArray[np.float64] | None:
    """(n, 3) LPS, None where one is missing."""
    positions = [each.header.position for each in slices]
    return None if None in positions else np.array(positions, np.float64)


def _letters(header: SliceHeader) -> tuple[str, str] | None:
    if header.orientation is None:
        return None
    directions = np.eye(4)
    directions[:3, :2] = np.array(header.orientation).reshape(2, 3).T
    return edge_directions(LPS_TO_RAS @ directions)


def _affine(
    first: SliceHeader, spacing: tuple[float, float], positions: NDArray[np.float64], step: float | None
) -> NDArray[np.float64]:
    """PS3.3 C.7.6.2.1.1 with a third column from the first slice to the last, in RAS."""
    row, column = np.array(first.orientation).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0] = row * spacing[1]
    affine[:3, 1] = column * spacing[0]
    if step is None:
        affine[:3, 2] = normal_of(first) * (first.thickness or first.between or 1.0)
    else:
        affine[:3, 2] = (positions[-1] - positions[0]) / (len(positions) - 1)
    affine[:3, 3] = positions[0]
    return np.asarray(LPS_TO_RAS @ affine)


def _step_notes(steps: NDArray[np.float64], step: float, even: bool, first: SliceHeader) -> tuple[str, ...]:
    if even:
        # Some scanners write the gap into this field instead: only a whole multiple is telling.
        wholes = step / first.between if first.between else 1.0
        if wholes > 1.5 and abs(wholes - round(wholes)) < 0.05:
            return (
                phrase(
                    "Slices lie {step:.2f} mm apart, but were acquired every {between:.2f} mm: "
                    "the slices between are missing.",
                    step=step,
                    between=first.between,
                ),
            )
        if first.thickness and step > first.thickness + max(0.05, 0.02 * step):
            return (phrase("Between slices there are gaps of {step:.1f} mm.", step=step - first.thickness),)
        return ()
    wholes_of = np.rint(steps / step)
    near = np.abs(steps - wholes_of * step) <= max(SAME_POSITION_MM, 0.05 * step)
    missing = int((wholes_of - 1).sum())
    if near.all() and (wholes_of >= 1).all() and 0 < missing <= _MOST_MISSING * len(steps):
        after = int(np.flatnonzero(wholes_of > 1)[0]) + 1
        away = float(steps[after - 1])
        if (wholes_of > 1).sum() > 1:
            return (
                phrase(
                    "{count} slices are missing: after slice {after} (the first gap) the next lies {away:.1f} mm away.",
                    count=missing,
                    after=after,
                    away=away,
                ),
            )
        return (
            phrase_of_count(
                "{count} slice is missing: after slice {after} the next lies {away:.1f} mm away.",
                "{count} slices are missing: after slice {after} the next lies {away:.1f} mm away.",
                missing,
                after=after,
                away=away,
            ),
        )
    return (
        phrase(
            "Slices are unevenly spaced: {least:.2f} to {most:.2f} mm apart.",
            least=float(steps.min()),
            most=float(steps.max()),
        ),
    )


def _tilt_note(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> tuple[str, ...]:
    along = positions[-1] - positions[0]
    length = float(np.linalg.norm(along))
    if length < SAME_POSITION_MM:
        return ()
    tilt = float(np.degrees(np.arccos(np.clip(abs(along @ normal) / length, 0.0, 1.0))))
    return (
        (phrase("The stack leans: slices are shifted sideways by {tilt:.1f} degrees.", tilt=tilt),)
        if tilt > _TILT_DEGREES
        else ()
    )
