"""How far a model can be trusted, measured on faces whose emotion is known. Engines are handed in, none is chosen."""
