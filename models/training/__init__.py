"""How the weights in `models/weights` were made, runnable again.

In order: `train_mask_classifier`, `export_onnx`, `evaluate`.
Nothing that serves imports from here.
"""
