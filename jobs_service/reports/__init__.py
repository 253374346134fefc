"""The drawn outputs of an analysis: chart, video and HTML report."""
