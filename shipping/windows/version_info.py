"""The version that Windows shows in the properties of a program."""

from PyInstaller.utils.win32.versioninfo import (
    FixedFileInfo,
    StringFileInfo,
    StringStruct,
    StringTable,
    VarFileInfo,
    VarStruct,
    VSVersionInfo,
)

US_ENGLISH, UNICODE = 0x0409, 1200


def version_info(version: str, file: str) -> VSVersionInfo:
    """version: such as ``0.1.0``; file: the program's file name."""
    numbers = tuple(int(part) for part in (version.split(".") + ["0"] * 4)[:4])
    strings = {
        "FileDescription": "Offline brain-tumour MRI analysis. Research use only.",
        "FileVersion": version,
        "InternalName": "braintumor",
        "LegalCopyright": "Apache License 2.0",
        "OriginalFilename": file,
        "ProductName": "Brain Tumour MRI",
        "ProductVersion": version,
    }
    table = StringTable(
        f"{US_ENGLISH:04X}{UNICODE:04X}", [StringStruct(name, words) for name, words in strings.items()]
    )
    parts = [StringFileInfo([table]), VarFileInfo([VarStruct("Translation", [US_ENGLISH, UNICODE])])]
    return VSVersionInfo(ffi=FixedFileInfo(filevers=numbers, prodvers=numbers), kids=parts)
