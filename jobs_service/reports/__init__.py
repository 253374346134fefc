"""What people look at: pictures, a video and a page, made from the lines and episodes of an analysis."""
