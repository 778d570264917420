"""The parts of every network's report: intervals, Markdown tables, pictures.

`figures` needs matplotlib; import it only where a picture is drawn.
"""
