"""The report: one HTML file that shows what a run made, whether it helped, and what the features know."""
