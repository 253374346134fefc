"""How far a model can be trusted, measured on faces whose emotion is known. No engine is chosen here: one is handed in."""
