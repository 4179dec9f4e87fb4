"""What PyInstaller takes of fpdf2: the colour profile that every PDF/A names, which it reads as a resource."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("fpdf")
hiddenimports = ["fpdf.data", "fpdf.data.color_profiles"]
