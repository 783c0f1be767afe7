"""What a case asks of the report: its figures, and what a report of it says."""

from forensics.report.drawn import figure, junction_figure
from forensics.report.gathering import gather
from forensics.report.masked import report_json

__all__ = ["figure", "gather", "junction_figure", "report_json"]
