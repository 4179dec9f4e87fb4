"""Names of the ways to draw a heat map; `explain` does it. Needs no torch."""

from __future__ import annotations

from enum import StrEnum


class CamMethod(StrEnum):
    """How activation and gradient become one map. The first is the default, see docs/MODEL_CARD.md."""

    GRAD_CAM = "grad-cam"
    HIRES_CAM = "hirescam"
    GRAD_CAM_PP = "grad-cam++"
    LAYER_CAM = "layer-cam"


CAM_TITLES = {
    CamMethod.GRAD_CAM: "Grad-CAM",
    CamMethod.HIRES_CAM: "HiResCAM",
    CamMethod.GRAD_CAM_PP: "Grad-CAM++",
    CamMethod.LAYER_CAM: "Layer-CAM",
}
