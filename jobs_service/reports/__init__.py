"""What people look at: a chart, a video and a page, made from the readings and episodes of an analysis."""
