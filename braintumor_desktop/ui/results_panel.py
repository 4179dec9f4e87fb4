"""The panel at the right: what the model says, how sure it is, and what the reader says to that."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.language import tr
from braintumor_desktop.reporting import reference_text
from braintumor_desktop.ui import result_words
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.places_list import PlacesList
from braintumor_desktop.ui.probability_bars import ProbabilityBars
from braintumor_desktop.ui.reader_box import ReaderBox
from braintumor_desktop.ui.sections import FoldedText, heading, paragraph, rows_into

_LEAST_WIDTH = 290


class ResultsPanel(QScrollArea):
    """Shows one case. analyse_asked, cancel_asked: the buttons; note_changed: the reader's verdict or comment."""

    analyse_asked = Signal()
    cancel_asked = Signal()
    note_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_LEAST_WIDTH)
        self.setAccessibleName(tr("Results"))
        self._case: Case | None = None
        self._analysis: Analysis | None = None
        self._body = QWidget()
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.setSpacing(6)
        self.setWidget(self._body)

        self.finding = paragraph()
        font = self.finding.font()
        font.setPointSizeF(1.25 * font.pointSizeF())
        font.setBold(True)
        self.finding.setFont(font)
        self.finding.setAccessibleName(tr("Finding"))
        self.state = paragraph(faint=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(10)
        self.progress.setAccessibleName(tr("Progress of the analysis"))
        self.button = QPushButton()
        self.button.clicked.connect(self._button_clicked)
        for widget in (self.finding, self.state, self.progress, self.button):
            layout.addWidget(widget)

        self._details = QWidget()
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(6)
        details.addWidget(heading(tr("Probabilities")))
        self.bars = ProbabilityBars()
        details.addWidget(self.bars)
        self.prediction_set = paragraph(faint=True)
        details.addWidget(self.prediction_set)
        details.addWidget(heading(tr("Measurements")))
        self._sizes = QFormLayout()
        details.addLayout(self._sizes)
        self.size_note = paragraph(faint=True)
        details.addWidget(self.size_note)
        self._places_title = heading(tr("Where to look"))
        details.addWidget(self._places_title)
        self.places = PlacesList()
        details.addWidget(self.places)
        details.addWidget(heading(tr("Quality")))
        self.quality = paragraph()
        details.addWidget(self.quality)
        details.addWidget(heading(tr("Your reading")))
        self.reader = ReaderBox()
        self.reader.changed.connect(self.note_changed)
        details.addWidget(self.reader)
        details.addWidget(heading(tr("Heat map")))
        self.explanation = paragraph()
        details.addWidget(self.explanation)
        details.addWidget(heading(tr("Model")))
        self._model = QFormLayout()
        details.addLayout(self._model)
        self.reference = FoldedText()
        details.addWidget(self.reference)
        self._measured_title = heading(tr("Your measurements"))
        layout.addWidget(self._measured_title)
        self._measured_rows = QFormLayout()
        layout.addLayout(self._measured_rows)
        self._measured: object = ()
        layout.addWidget(self._details)
        layout.addStretch(1)
        self.show_case(None)

    def show_case(self, case: Case | None) -> None:
        """Bring the panel up to date with a case; None: nothing is open."""
        self._show_state(case)
        self._show_measured(case)
        analysis = None if case is None else case.analysis
        self._details.setVisible(analysis is not None)
        if analysis is not None and case is not None and analysis is not self._analysis:
            self._show_analysis(analysis)
            self.reader.show_note(case)
            if case is not self._case:
                self.verticalScrollBar().setValue(0)
        self._case, self._analysis = case, analysis

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """As wide as its words need: nothing can be scrolled to the side. A scroll area filters its widget's events."""
        if watched is self._body and event.type() == QEvent.Type.LayoutRequest:
            needed = self._body.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(_LEAST_WIDTH, needed))
        return super().eventFilter(watched, event)

    def _show_measured(self, case: Case | None) -> None:
        drawn = None if case is None or case.study is None else (case, case.measured.current)
        if drawn != self._measured:
            self._measured = drawn
            rows = [] if case is None else result_words.reader_measurements(case)
            rows_into(self._measured_rows, rows)
            self._measured_title.setVisible(bool(rows))

    def _show_state(self, case: Case | None) -> None:
        busy = case is not None and case.state.busy
        self.progress.setVisible(busy)
        self.button.setVisible(case is not None and (case.state is not CaseState.DONE or case.analysis is None))
        self.button.setText(
            tr("Cancel") if busy else tr("Retry") if case and case.state is CaseState.FAILED else tr("Analyse")
        )
        self.button.setEnabled(True)
        if case is None:
            self.finding.setText(tr("No picture open"))
            self.state.setText(tr("The answer of the model appears here."))
            return
        analysed = case.analysis is not None
        self.finding.setText(result_words.finding(case.analysis) if case.analysis is not None else case.name)
        if busy:
            # Without a share to tell yet, the bar moves to and fro: it never sits at 0 % without a word.
            self.progress.setRange(0, 100 if case.fraction > 0 else 0)
            self.progress.setValue(round(100 * case.fraction))
        self.state.setVisible(not (analysed and case.state is CaseState.DONE))
        self.state.setText(_state_words(case, case.error, analysed))

    def _show_analysis(self, analysis: Analysis) -> None:
        self.bars.show_finding(analysis.finding)
        _set_or_hide(self.prediction_set, result_words.prediction_set(analysis.finding))
        rows_into(self._sizes, result_words.sizes(analysis.study, analysis.segmentation))
        _set_or_hide(self.size_note, result_words.size_note(analysis.study, analysis.segmentation))
        self.places.show_places(analysis)
        for widget in (self._places_title, self.places):
            widget.setVisible(self.places.count() > 0)
        lines = [f"{'⚠' if warning else '•'}  {words}" for warning, words in result_words.quality(analysis)]
        self.quality.setText("\n".join(lines))
        self.explanation.setText(result_words.explanation(analysis))
        rows_into(self._model, result_words.model(analysis))
        self._show_reference(analysis.finding.label)

    def _show_reference(self, label: str) -> None:
        try:
            text = reference_text(label)
        except (KeyError, BrainTumorError):
            self.reference.hide()  # general information may be missing; the finding may not
            return
        blocks = [(tr(s.heading), tr(s.text)) for s in text.sections]
        self.reference.show_text(tr("About: {title}", title=tr(text.title)), tr(text.notice), blocks, text.sources)
        self.reference.show()

    def _button_clicked(self) -> None:
        if self.button.text() == tr("Cancel"):
            self.button.setEnabled(False)
            self.cancel_asked.emit()
        else:
            self.analyse_asked.emit()


def _state_words(case: Case, error: BrainTumorError | None, analysed: bool) -> str:
    earlier = " " + tr("Below is the earlier answer.") if analysed else ""
    if case.state is CaseState.FAILED and error is not None:
        return f"{tr(error.message)} {tr(error.hint)}{earlier}"
    if case.state is CaseState.CANCELLED:
        return tr("The analysis was cancelled.")
    return case.status_line + earlier


def _set_or_hide(label: QLabel, words: str) -> None:
    label.setText(words)
    label.setVisible(bool(words))
