"""A synthetic camera: people, some with masks, walk through a drawn concourse.

The one face, `portrait.png`, is a part of NASA's public-domain photograph of the astronaut Eileen
Collins. Everything else is drawn at run time. The picture depends only on the seed and the time, so
tests can compute the truth.
"""
