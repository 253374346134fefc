"""Work on models: evaluation, calibration, quantization, explanation, datasets."""
