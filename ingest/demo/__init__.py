"""A synthetic camera: people, some with masks, walk through a drawn concourse.

The one face is the public-domain photograph of astronaut Eileen Collins (NASA) that
scikit-image ships; everything else is drawn at run time. The picture depends
only on the seed and the time, so tests can compute the truth.
"""
