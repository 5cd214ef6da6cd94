"""Payload decoding: the bodies of captured records as typed columns."""

from driftline.engine.payload.decoding import KEYS, Decoding, Reading, features, keys

__all__ = ["KEYS", "Decoding", "Reading", "features", "keys"]
