"""The window in the reader's language: sentences, Qt's own words, number marks, letters and the side it begins at."""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import Language, best_language, current_language, use_language
from braintumor_desktop.locations import bundled

SYSTEM = "system"

# Qt comes with its words in most languages, not in Hindi. These are the ones a reader meets.
QT_WORDS = (
    *(
        phrase("OK"),
        phrase("&OK"),
        phrase("Cancel"),
        phrase("&Close"),
        phrase("Close"),
        phrase("&Save"),
        phrase("Save"),
    ),
    *(phrase("&Yes"), phrase("&No"), phrase("Discard"), phrase("Apply"), phrase("&Open"), phrase("Open")),
    *(phrase("&Undo"), phrase("&Redo"), phrase("Cu&t"), phrase("&Copy"), phrase("&Paste"), phrase("Delete")),
    *(phrase("Select All"), phrase("Look in:"), phrase("File &name:"), phrase("Files of type:"), phrase("&Choose")),
    *(phrase("Directory:"), phrase("Name"), phrase("Size"), phrase("Date Modified"), phrase("Back"), phrase("Forward")),
)


class _OwnWords(QTranslator):
    """Looks Qt's words up in the program's own catalogue."""

    def __init__(self, language: Language, parent: QApplication) -> None:
        super().__init__(parent)
        self._sentences = language.sentences

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        return self._sentences.get(source, (None,))[0] if source in QT_WORDS else None


def apply_language(app: QApplication, wish: str) -> Language:
    """Choose the language of everything shown from now on; once, before the window is made.

    wish: a code such as ``de``, or ``system`` for the first of the desktop's languages that there is a catalogue for.
    """
    language = use_language(best_language(list(QLocale.system().uiLanguages()) if wish == SYSTEM else [wish]))
    QLocale.setDefault(QLocale(language.code))
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft if language.right_to_left else Qt.LayoutDirection.LeftToRight)
    own = _OwnWords(language, app)
    app.installTranslator(own)
    theirs = QTranslator(app)
    if theirs.load(QLocale(language.code), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(theirs)
    if language.font:
        for weight in ("Regular", "Bold"):
            QFontDatabase.addApplicationFont(str(bundled("resources", "fonts", f"{language.font}-{weight}.ttf")))
    return current_language()
