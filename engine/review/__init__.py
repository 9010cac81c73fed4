"""What to look at next: orders, the score learnt from a person's own decisions, how much is left, and the pick.

Importing this package costs nothing; scikit-learn is imported in `engine.jobs.review` and `engine.jobs.pick` only.
"""
