"""The window: Qt only. It shows what the other rooms computed."""

from braintumor_desktop.ui.immortal_singletons import make_singletons_immortal

make_singletons_immortal()  # before the first Qt call
