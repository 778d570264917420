"""How good the mask classifier is: figures, their calibration, and a report of them."""
