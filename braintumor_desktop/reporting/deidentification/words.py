"""The only words that a de-identified file may keep: terms of the standard and of MR protocols, names of makers.

Text is not searched for names, which would miss some: it is rebuilt from the words below, and everything else, all
numbers included, is dropped.
"""

from __future__ import annotations

import re

DUMMY = "ANONYMIZED"
OTHER = "OTHER"

# Images of any kind: PS3.3 C.7.6.1 to C.7.6.3, C.8.3 to C.8.13, C.8.16, PS3.16 annex L, and values that scanners add.
_IMAGE_TERMS = """
ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER REFORMATTED MPR PROJECTION MIP MINIP OTHER NONE MIXED UNKNOWN
VOLUME SAMPLED DISTORTED ADDITION SUBTRACTION DIVISION MULTIPLICATION MASKED MEAN MAXIMUM MINIMUM RESAMPLED
MONOCHROME MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_PARTIAL_420 YBR_PARTIAL_422 YBR_ICT YBR_RCT XYB
PALETTE_COLOR COLOR TRUE_COLOR ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_15444_15 ISO_18181_1 ISO_13818_2 ISO_14496_10
ISO_23008_2
MOSAIC NORM ND DIS2D DIS3D M_FFE M_SE M_IR T1 T2 T2* FLAIR PHASE MAGNITUDE REAL IMAGINARY COMPLEX DIFFUSION ADC
TRACEW FA COLFA EXPONENTIAL PERFUSION ASL FMRI BOLD WATER FAT IN_PHASE OUT_PHASE OPP_PHASE WATER_FAT SWI DYNAMIC
ANGIO ANGIO_TIME CINE FLOW_ENCODED FLUID_ATTENUATED METABOLITE_MAP PROTON_DENSITY STIR TAGGING TEMPERATURE
VELOCITY STATIC MULTIECHO SPECTROSCOPY PRESCAN FILTERED SHORT HEAD BRAIN NECK HEADNECK SPINE CSPINE TSPINE LSPINE
CHEST ABDOMEN PELVIS BREAST HEART LIVER KIDNEY PROSTATE SHOULDER ELBOW HAND WRIST HIP KNEE ANKLE FOOT LEG ARM
SKULL ORBIT SELLA BODY WHOLEBODY PHANTOM EXTREMITY THORAX LUNG PANCREAS RECTUM UTERUS FEMUR THIGH LOWERLEG FOREARM
UPPERARM CTSPINE TLSPINE LSSPINE SSPINE ABDOMENPELVIS NECKCHEST CHESTABDOMEN CHESTABDPELVIS
HFS HFP HFDR HFDL FFS FFP FFDR FFDL LFP LFS RFP RFS AFDR AFDL PFDR PFDL RECUMBENT ERECT SEMIERECT
YES NO Y N M F L R B U O A P ON OFF AUTO MANUAL SEMIAUTOMATIC AUTOMATIC PARTIAL FULL REMOVED MODIFIED UNMODIFIED
"""
# MR acquisition: C.8.3.1, C.8.13.
_MR_TERMS = """
SE GR IR EP RM SPIN GRADIENT BOTH SK MTC SS TRSS SP MP OSP 2D 3D 2DMULTISLICE 3DMULTISLICE 2D_MULTISLICE
PER RG CG PPG FC PFF PFP SFP FS SAT1 SAT2 SAT SPSAT CT EDR FAST_GEMS ACC_GEMS VB_GEMS SEQ_GEMS MULTISLAB FILTERED
ROW COL COLUMN COLUMN_LEFT RECTILINEAR RADIAL SPIRAL LINEAR REVERSE_LINEAR CENTRIC SEGMENTED ORDERED RANDOM
SINGLE MULTIPLE SINGLE_SHOT SENSE SMASH GRAPPA PILS LINE BODY SURFACE MULTICOIL QUADRATURE RECEIVE TRANSMIT
LONGITUDINAL OVERSAMPLED TRANSVERSE RF FREQUENCY SLICE_SELECTIVE SLICE_AND_FREQ NON_SPATIAL SPATIAL ISOTROPIC
DIRECTIONAL BIPOLAR FREE_PRECESSION BALANCED SPOILED UNSPOILED STEADY_STATE ACQUISITION_TIME WATER_EXCITATION
ADIABATIC PROSPECTIVE RETROSPECTIVE RESPIRATORY CARDIAC BREATH_HOLD REALTIME ECG VCG PULSE NAVIGATOR TIME
IEC_NORMAL IEC_SECOND_LEVEL IEC_FIRST_LEVEL STATIONARY DB_DT 1H 13C 19F 31P 23NA 129XE HYDROGEN PROTON CSA MAG
RIESZ HAMMING HANNING TUKEY GAUSSIAN UNITY UNIFORM RESEARCH PRODUCT SERVICE IDENTITY SIGMOID LINEAR_EXACT
INVERSE ALONG_COLUMNS COMPRESSED UNCOMPRESSED TILED_FULL TILED_SPARSE AFFINE RIGID DEFORMABLE 3DT
SLOPE OVERSAMPLING PHASE_MAP SECOND_LEVEL FIRST_LEVEL NORMAL HELICAL MODE SEQUENCED CONSTANT_ANGLE STATIONARY
ISO_2022 ISO_IR_100 ISO_IR_192 00 01 02 03
"""
# Modalities: C.7.3.1.1.1.
_MODALITIES = """
MR CT PT NM CR DX DR US XA SC SEG SR RTSTRUCT RTDOSE RTPLAN RTIMAGE PR KO REG RWV PM OT DOC ANN MG RF
"""
# Segmentation, structured reports, presentation states, maps: C.8.20, C.17, C.11, C.7.6.16.
_OBJECT_TERMS = """
BINARY FRACTIONAL LABELMAP PROBABILITY OCCUPANCY CONTAINER TEXT NUM CODE DATE DATETIME PNAME UIDREF IMAGE
COMPOSITE WAVEFORM SCOORD SCOORD3D TCOORD TABLE CONTAINS INFERRED SELECTED HAS FROM SEPARATE CONTINUOUS
COMPLETE VERIFIED UNVERIFIED PRELIMINARY FINAL POINT MULTIPOINT POLYLINE CIRCLE ELLIPSE POLYGON
ELLIPSOID BEGIN END SEGMENT MULTISEGMENT ABSOLUTE RELATIVE DISPLAY PIXEL SCANNER ROI TRACKING TILED
DCMR SCALED CURRENT FILE INSTANCE FRAME ACTIVE INACTIVE VALID INVALID APPROVED UNAPPROVED REJECTED
HAS_ACQ_CONTEXT HAS_CONCEPT_MOD HAS_OBS_CONTEXT HAS_PROPERTIES INFERRED_FROM SELECTED_FROM
100 200 300 1400 1410 1411 1419 1420 1500 1501 1600 4019 PSN DEV QUANTITY PHYSICIAN GENERIC COLUMNWISE
QUIET WATER_SATURATION FAT_SATURATION SILICONE ARTERIAL VENOUS MODERATE MAXIMUM_INTENSITY HIGH LOW MEDIUM
"""
_CODE_TERMS = frozenset(f"{_IMAGE_TERMS} {_MR_TERMS} {_MODALITIES} {_OBJECT_TERMS}".split())
_PATIENT_DIRECTION = re.compile(r"[LRAPHF]{1,3}")

_MAKERS = (
    "siemens philips ge medical systems healthcare healthineers toshiba mec canon hitachi fujifilm bruker esaote"
    " united imaging uih paramed fonar mr mri avanto aera altea amira area espree skyra prisma trio triotim verio vida"
    " lumina sola sempra symphony sonata terra magnetom achieva ingenia intera ambition elition gyroscan panorama"
    " signa discovery optima genesis premier artist architect explorer hdxt excite vantage titan orian galan"
)
_PROTOCOL = (
    "t1 t2 t1w t2w t1c t1ce t1gd pd pdw flair stir tirm dwi dti adc swi swan dsc dce asl tof bold fmri perf perfusion"
    " diff diffusion trace tracew dir mra mrv mrs localizer localiser scout survey loc plane"
    " axial ax tra transverse sagittal sag coronal cor oblique obl ap lr"
    " pre post gd gad gado gadolinium contrast ce km c plus native nativ without with non no none yes enhanced"
    " mprage mpr mip minip spgr fspgr bravo cube space vibe tfl tse fse ffe tfe t1tfe t1ffe t1tse t2tse t2tfe se gre"
    " gr fl ep epi epfid epse spc tir fisp trufi fiesta ciss cine propeller blade resolve dixon haste ssfse ge sense"
    " grappa caipi fs fatsat fat sat water iso isotropic thin thick dark fluid brain head skull neck spine sella"
    " pituitary orbit iac map mag phase real magnitude anat anatomical structural rest task dyn dynamic vol volume"
    " 2d 3d 4d b0 b500 b700 b800 b1000 b1500 b2000 hr hires high res resolution fast star"
    " mri mr ct research segmentation tumor tumour lesion measurements report"
    " gadovist gadobutrol gadavist dotarem clariscan gadoterate magnevist multihance prohance gadopiclenol elucirem"
    " omniscan iv intravenous oral automatic manual"
)
_WORDS = frozenset(f"{_MAKERS} {_PROTOCOL}".split())
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_NUMBERED = re.compile(r"(.+?)([23]d)\d{0,2}")


def code_term(value: str) -> str:
    """A code string (VR CS) as it is where the standard knows it, else ``OTHER``; empty stays empty."""
    term = value.strip()
    known = term.replace(" ", "_") in _CODE_TERMS or all(part in _CODE_TERMS for part in term.split(" "))
    return term if not term or known or _PATIENT_DIRECTION.fullmatch(term) else OTHER


def known_words(text: str) -> str:
    """The words of `text` that say how a series was made, in order, separated by one space; empty where there are none.

    >>> known_words("t1_mprage_SAG^Miller 1234 +C")
    't1 mprage SAG C'
    """
    return " ".join(token for token in _TOKEN.findall(text) if _is_known(token.lower()))


def _is_known(token: str) -> bool:
    if token in _WORDS:
        return True
    numbered = _NUMBERED.fullmatch(token)
    return numbered is not None and numbered[1] in _WORDS
