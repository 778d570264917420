"""A camera that needs no camera: people, some with masks, walk through a drawn concourse.

The one face is the public-domain photograph of astronaut Eileen Collins (NASA) that
scikit-image ships; everything else is drawn at run time. What is shown follows from the seed
and the time alone, so tests can ask for the truth.
"""
