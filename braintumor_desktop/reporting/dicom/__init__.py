"""DICOM objects of one analysis: segmentation, measurement report, captures and the report's PDF, with highdicom.

`kinds` is light; everything else imports highdicom and so takes a second: import it when something is to be written.
"""
