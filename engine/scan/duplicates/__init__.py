"""Rows that ask the same: requests -> candidates -> guard -> stars -> clusters with a keeper and evidence.

`clusters.find_clusters` is the way in; nothing is imported here, so that parts of it can be used alone.
"""
