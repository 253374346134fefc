"""The evaluation of a model on labelled faces. The caller chooses the engines."""
