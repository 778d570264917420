"""Training the face detector: COCO photographs in, a checkpoint and learning curves out.

Start at `train.train_detector`. Nothing here is imported to find faces in frames.
"""
