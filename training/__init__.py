"""From labelled faces to a model folder: prepare, build, train, evaluate, export."""
