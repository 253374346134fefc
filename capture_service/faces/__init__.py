"""The faces of a frame: tracked, followed, judged and cut."""
