"""Working on models: evaluation, calibration, quantization, datasets."""
