"""What PyInstaller takes of highdicom: the tables of the standard, which it reads from files beside its code."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("highdicom")
