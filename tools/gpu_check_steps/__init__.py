"""The steps of tools/gpu_check, and what they share."""
