"""What can be done to a finished picture: as a step of an image request, and as a form of alchemy."""

from __future__ import annotations

#: In the order of the names in recorded refusals.
POST_PROCESSORS = (
    "GFPGAN",
    "RealESRGAN_x4plus",
    "RealESRGAN_x2plus",
    "RealESRGAN_x4plus_anime_6B",
    "NMKD_Siax",
    "4x_AnimeSharp",
    "CodeFormers",
    "strip_background",
    "4xNomos8kSC",
    "4xLSDIRplus",
    "4xNomosWebPhoto_RealPLKSR",
    "4xNomos2_realplksr_dysample",
    "4xNomos2_hq_dat2",
    "2xModernSpanimationV1",
    "GFPGANv1.3",
    "RestoreFormer",
)
_FACE_FIXERS = frozenset({"GFPGAN", "GFPGANv1.3", "CodeFormers", "RestoreFormer"})
#: Those that enlarge.
UPSCALERS = tuple(name for name in POST_PROCESSORS if name not in {*_FACE_FIXERS, "strip_background"})
