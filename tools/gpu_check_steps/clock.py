"""How much time is left, and how it is shared out."""

import time


class Clock:
    """Counts down from the moment it is made."""

    def __init__(self, seconds):
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self._end - time.monotonic())


def share(left_s, weights, least_s=0.0, most_s=float("inf")):
    """Seconds for the first of `weights` out of `left_s`; what it leaves over, the others inherit.

    0 where fewer than `least_s` are left.
    """
    if left_s < least_s:
        return 0.0
    return min(left_s, most_s, max(least_s, left_s * weights[0] / sum(weights)))
