"""Outlines of neighbouring slices joined into lesions, and the size of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Lesion
from braintumor_desktop.domain.measurements import area_mm2, diameters
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.inference.measure import largest_component
from braintumor_desktop.inference.slice_axis import extents, neighbours, positions

BRIDGE_MM = 3.0
"""Outlines that lie over each other are joined across a gap of up to this: at 1 mm the network may miss a slice."""

SMALLEST_ML = 0.1
"""Smaller lesions are dropped: a ball of 6 mm across, about four of the network's own pixels."""

SHORTEST_MM = 4.0
"""Lesions that reach less far along the slice axis are dropped.

So a spot on a single slice counts at 5 mm, where a real lesion may well show once only, and not at 1 or 3 mm.
"""

MEASURABLE_MM, MEASURABLE_SLICES = 10.0, 2  # RANO, J Clin Oncol 2010;28:1963


@dataclass(frozen=True, eq=False)
class Outline:
    """What one lesion covers. pieces: for each slice its components' numbers; areas: (slices,) pixels."""

    pieces: dict[int, list[int]]
    areas: NDArray[np.int64]
    center: tuple[float, float, float]


def components(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """8-connected components of (rows, columns): count with background, labels, statistics, centroids (x, y)."""
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    return count, labels, stats, centroids


def join(mask: NDArray[np.bool_], places: NDArray[np.float64] | None) -> list[Outline]:
    """Lesions of a mask (slices, rows, columns), in order of their first slice.

    Components (8-connected) that share a pixel position are joined where they lie on neighbouring slices without a hole
    between them or no more than `BRIDGE_MM` apart. places: of the slices in mm, see `slice_axis.positions`.
    """
    leader: dict[tuple[int, int], tuple[int, int]] = {}
    beside = None if places is None else neighbours(places)

    def find(piece: tuple[int, int]) -> tuple[int, int]:
        while leader[piece] != piece:
            leader[piece] = leader[leader[piece]]
            piece = leader[piece]
        return piece

    area: dict[tuple[int, int], int] = {}
    middle: dict[tuple[int, int], tuple[float, float]] = {}
    recent: deque[tuple[int, NDArray[np.int32]]] = deque()
    for index in range(len(mask)):
        if not mask[index].any():
            continue
        count, labels, stats, centroids = components(mask[index])
        for number in range(1, count):
            piece = (index, number)
            leader[piece] = piece
            area[piece] = int(stats[number, cv2.CC_STAT_AREA])
            middle[piece] = (float(centroids[number, 1]), float(centroids[number, 0]))
        while recent and not _near(recent[0][0], index, places, beside):
            recent.popleft()
        for other, before in recent:
            both = (labels > 0) & (before > 0)
            for one, two in {(int(a), int(b)) for a, b in np.unique(np.stack([labels[both], before[both]]), axis=1).T}:
                first, second = sorted((find((index, one)), find((other, two))))
                leader[second] = first
        recent.append((index, labels))
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for piece in leader:
        groups.setdefault(find(piece), []).append(piece)
    return [_outline(group, area, middle, len(mask)) for _, group in sorted(groups.items())]


def _near(first: int, second: int, places: NDArray[np.float64] | None, beside: NDArray[np.bool_] | None) -> bool:
    if places is None or beside is None:
        return second - first <= 1
    bridged = abs(float(places[second] - places[first])) <= BRIDGE_MM
    return bridged or (second - first == 1 and bool(beside[first]))


def _outline(
    group: list[tuple[int, int]],
    area: dict[tuple[int, int], int],
    middle: dict[tuple[int, int], tuple[float, float]],
    slices: int,
) -> Outline:
    pieces: dict[int, list[int]] = {}
    areas = np.zeros(slices, np.int64)
    for index, number in sorted(group):
        pieces.setdefault(index, []).append(number)
        areas[index] += area[index, number]
    weights = np.array([area[p] for p in group], np.float64)
    points = np.array([(p[0], *middle[p]) for p in group])
    center = weights @ points / weights.sum()
    return Outline(pieces, areas, (float(center[0]), float(center[1]), float(center[2])))


def worth_keeping(outline: Outline, geometry: Geometry) -> bool:
    """The rule for tiny and short ones; true where the spacing it needs is unknown."""
    reach, volume = reach_mm(outline, geometry), volume_ml(outline.areas, geometry)
    return (reach is None or reach >= SHORTEST_MM) and (volume is None or volume >= SMALLEST_ML)


def reach_mm(outline: Outline, geometry: Geometry) -> float | None:
    """What its slices stand for along their axis; None where that is unknown."""
    reach = extents(positions(geometry, len(outline.areas)))
    return None if reach is None else float(reach[outline.areas > 0].sum())


def volume_ml(areas: NDArray[np.int64], geometry: Geometry) -> float | None:
    """Areas (slices,) in pixels times what each slice stands for; None where a spacing is unknown or for one slice."""
    reach = extents(positions(geometry, len(areas)))
    pixel = area_mm2(1, geometry.pixel_spacing_mm)
    return None if reach is None or pixel is None else float(areas @ reach) * pixel / 1000


def support(outline: Outline, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of per-slice rows (slices, n) or (slices,), each slice weighted by the lesion's area there."""
    return np.asarray(outline.areas @ values / outline.areas.sum())


def outline_box(outline: Outline, mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], tuple[int, int, int]]:
    """One outline cut out of the mask, with a margin of one voxel, and where that box begins (slice, row, column)."""
    parts = {i: np.isin(components(mask[i])[1], numbers) for i, numbers in outline.pieces.items()}
    everything = np.logical_or.reduce(list(parts.values()))
    rows, columns = np.flatnonzero(everything.any(axis=1)), np.flatnonzero(everything.any(axis=0))
    first, last = min(parts), max(parts)
    box = np.zeros((last - first + 3, int(np.ptp(rows)) + 3, int(np.ptp(columns)) + 3), np.bool_)
    for index, part in parts.items():
        box[index - first + 1, 1:-1, 1:-1] = part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return box, (first - 1, int(rows[0]) - 1, int(columns[0]) - 1)


def keep_only(mask: NDArray[np.bool_], outlines: list[Outline]) -> None:
    """Clear everything in the mask, in place, that belongs to none of the outlines."""
    for index in range(len(mask)):
        if not mask[index].any():
            continue
        count, labels, _, _ = components(mask[index])
        kept = np.zeros(count, np.bool_)
        for outline in outlines:
            kept[outline.pieces.get(index, [])] = True
        mask[index] = kept[labels]


def measure_lesion(outline: Outline, mask: NDArray[np.bool_], tumor: float, geometry: Geometry) -> Lesion:
    """Size of one lesion. mask: with this outline's components still in it; tumor: its probability."""
    used = np.flatnonzero(outline.areas)
    key = int(outline.areas.argmax())
    area = int(outline.areas[key])
    slice_index, row, column = outline.center
    affine = geometry.affine
    millimetres = None if affine is None else affine @ (column, row, slice_index, 1.0)
    return Lesion(
        slices=(int(used[0]), int(used[-1])),
        key_slice=key,
        area_px=area,
        area_mm2=area_mm2(area, geometry.pixel_spacing_mm),
        diameters=diameters(_largest_piece(outline, mask, key), geometry.pixel_spacing_mm),
        volume_ml=volume_ml(outline.areas, geometry),
        center=outline.center,
        center_mm=None
        if millimetres is None
        else (millimetres[0].item(), millimetres[1].item(), millimetres[2].item()),
        measurable=_measurable(outline, mask, geometry),
        tumor_probability=tumor,
        pieces=_pieces(outline, mask),
    )


def _pieces(outline: Outline, mask: NDArray[np.bool_]) -> tuple[tuple[int, int, int], ...]:
    """One pixel of each component, see `Lesion.pieces`."""
    found = []
    for index, numbers in outline.pieces.items():
        _, labels, _, _ = components(mask[index])
        for number in numbers:
            row, column = np.unravel_index(int((labels == number).argmax()), labels.shape)
            found.append((index, int(row), int(column)))
    return tuple(found)


def _largest_piece(outline: Outline, mask: NDArray[np.bool_], index: int) -> NDArray[np.bool_]:
    _, labels, _, _ = components(mask[index])
    return largest_component(np.isin(labels, outline.pieces[index]))


def _measurable(outline: Outline, mask: NDArray[np.bool_], geometry: Geometry) -> bool | None:
    spacing = geometry.pixel_spacing_mm
    if spacing is None:
        return None
    enough = 0
    for index in np.argsort(-outline.areas, kind="stable"):
        if outline.areas[index] * spacing[0] * spacing[1] < MEASURABLE_MM**2 / 4:
            break  # what covers less and still reaches that far is a thread
        size = diameters(_largest_piece(outline, mask, int(index)), spacing)
        lengths = () if size is None else (size.longest.length_mm or 0.0, size.perpendicular.length_mm or 0.0)
        enough += bool(lengths) and min(lengths) >= MEASURABLE_MM
        if enough >= MEASURABLE_SLICES:
            return True
    return False
