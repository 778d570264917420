"""How often people of each kind get each verdict, in real films that no network was trained on.

From 19 clips with every person looked at, at 5, 8 and 25 frames a second: some 90 tracks
(`python -m benchmarks.person_errors`, which prints these numbers). A camera without an audit is
held to be like another such film.
"""

from __future__ import annotations

from typing import Final

import numpy as np

TOLD: Final = np.array([[1.66, 0.18], [1.16, 0.68], [1.37, 0.47], [0.19, 1.65]])
"""`(kinds, 2)` of each kind the beta distribution of the share that gets a verdict, as people with
one and people who stay `unknown`. Kinds are in the order of `VERDICTS`; the last one is everybody
whom an eye cannot tell, and things."""
GIVEN: Final = np.array(
    [[4.954, 0.023, 0.023], [0.238, 3.095, 1.667], [0.041, 0.041, 4.919], [0.455, 0.455, 4.091]]
)
"""`(kinds, 3)` of those with a verdict, the Dirichlet distribution of mask, incorrect, no_mask."""
