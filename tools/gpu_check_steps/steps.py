"""The steps in their order; each has KEY, NAME, TITLE, NEEDS, its share of the time, run() and section()."""

from gpu_check_steps import agreement, card, golden, kernels, timing, training

STEPS = (card, kernels, golden, agreement, timing.Timing, timing.Work, training)
BY_KEY = {step.KEY: step for step in STEPS}
