"""What a machine can say about the rows before a person looks: clusters, contradictions, flags, buckets.

`engine.scan.pipeline.scan` is the whole of it. Nothing is imported here: whoever reads findings needs none of what made
them.
"""
