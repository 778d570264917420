"""How often people of each kind get each verdict, in real films that no network was trained on.

From 19 clips with every person looked at, at 5, 8 and 25 frames a second: some 90 tracks
(`python -m benchmarks.person_errors`, which prints these numbers). A camera without an audit is
held to be like another such film.
"""

from __future__ import annotations

from typing import Final

import numpy as np

TOLD: Final = np.array([[17.97, 2.03], [12.58, 7.42], [0.36, 0.14], [0.18, 2.02]])
"""`(kinds, 2)` of each kind the beta distribution of the share that gets a verdict, as people with
one and people who stay `unknown`. Kinds are in the order of `VERDICTS`; the last one is everybody
whom an eye cannot tell, and things."""
GIVEN: Final = np.array(
    [[19.82, 0.09, 0.09], [0.91, 11.82, 6.37], [0.16, 0.16, 19.67], [1.82, 1.82, 16.36]]
)
"""`(kinds, 3)` of those with a verdict, the Dirichlet distribution of mask, incorrect, no_mask."""
