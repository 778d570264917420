"""What every report of a network is made of: intervals, Markdown tables, pictures.

`figures` needs matplotlib; import it only where a picture is drawn.
"""
