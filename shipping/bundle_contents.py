"""What goes into the frozen program and what stays out, by name. `build.spec` reads it."""

EXCLUDED_MODULES = [
    # Of the project: training is never frozen.
    "braintumor_desktop.training",
    "braintumor_desktop.commands.training",
    # What torch, numpy and others would take along for work that is not done here.
    "sympy",
    "mpmath",
    "networkx",
    "jinja2",
    "fsspec",
    "setuptools",
    "pkg_resources",
    "_distutils_hack",
    "pytest",
    "_pytest",
    "hypothesis",
    "matplotlib",
    "scipy",
    "skimage",
    "SimpleITK",
    "torchvision",
    "pandas",
    "IPython",
    "tkinter",
    "gdcm",
    "libjpeg",
    "_libjpeg",
    # JPEG-LS has its decoder (see imaging/jpeg_decoder.py); highdicom asks for this one too, and doesn't import it.
    "jpeg_ls",
    "_CharLS",
    "numpy.f2py",
    "numpy.distutils",
    "nibabel.tests",
    "pydicom.data.test_files",
    "lxml",
    "PIL._avif",
    "PIL.ImageQt",
    "PIL.ImageTk",
    "cv2.gapi",
    # GNU readline is under the GPL; a windowed program has no line to edit.
    "readline",
    "curses",
    "pydoc_data",
]

FOUND_AT_RUN_TIME = [
    # imagecodecs imports its codecs by name, and these what they share.
    "imagecodecs.imagecodecs",
    "imagecodecs._jpeg8",
    "imagecodecs._jpegls",
    "imagecodecs._shared",
    "imagecodecs._shared_cython",
    # pylibjpeg finds its plugin by entry point.
    "openjpeg",
    "_openjpeg",
]

LEFT_OUT = [
    # Of packages' metadata only what they are asked for at run time; their licences are in licences.json.
    "*.dist-info/RECORD",
    "*.dist-info/licenses/*",
    "*.dist-info/LICENSE*",
    "*.dist-info/sboms/*",
    "numpy/*/_*_tests.*",
    "cv2/opencv_videoio_ffmpeg*",
    # Qt: all platforms but X11, Wayland and the one without a screen; pictures are decoded by Pillow.
    "PySide6/QtDBus.*",  # Python's words for it; Qt's own library, through which screen readers hear, stays
    "PySide6/QtNetwork.*",
    "PySide6/QtOpenGL.*",
    "PySide6/QtSvg.*",
    "PySide6/*plugins/platforms/*eglfs*",
    "PySide6/*plugins/platforms/*linuxfb*",
    "PySide6/*plugins/platforms/*minimal*",
    "PySide6/*plugins/platforms/*vkkhrdisplay*",
    "PySide6/*plugins/platforms/*vnc*",
    "PySide6/*plugins/platforms/*direct2d*",
    "PySide6/*plugins/platformthemes/*gtk3*",
    "PySide6/*plugins/platforminputcontexts/*virtualkeyboard*",
    "PySide6/*plugins/imageformats/*",
    "PySide6/*plugins/iconengines/*",
    "PySide6/*plugins/networkinformation/*",
    "PySide6/*plugins/tls/*",
    "PySide6/*plugins/generic/*",
    "PySide6/*plugins/egldeviceintegrations/*",
    "PySide6/*plugins/xcbglintegrations/*",  # nothing is drawn with OpenGL
    "PySide6/*plugins/wayland-graphics-integration-*/*",
    "PySide6/*plugins/wayland-shell-integration/*ivi*",  # of cars, of kiosks, and an old one: desktops speak xdg-shell
    "PySide6/*plugins/wayland-shell-integration/*fullscreen*",
    "PySide6/*plugins/wayland-shell-integration/*qt-shell*",
    "PySide6/*plugins/wayland-decoration-client/*adwaita*",  # the other one needs no SVG
    "PySide6/opengl32sw.dll",
    # The printing system's own library, which brings TLS and Kerberos: where there are printers, it is there.
    "libcups.so*",
]

QT_TRANSLATIONS = [f"*/qtbase_{language}.qm" for language in ("de", "en", "es", "fr", "pt_BR")]
"""Qt's own words in the languages of the program; for Hindi it has none."""

STRIPPED = [
    "torch/lib/*.so*",
    "libpython3*.so*",
    "python3*/lib-dynload/*.so",
    "_openjpeg*.so",
    "PIL/*.so",
    "imagecodecs/*.so",
    "fontTools/*/*.so",
    "uharfbuzz/*.so",
    "pypdfium2_raw/*.so",
]
"""Libraries whose symbol tables go, on Linux: 90 MB of torch's, 13 MB of the others. Of those that a wheel's maker
patched with patchelf some break when they are stripped, as numpy's OpenBLAS; these don't, as the proofs show."""
