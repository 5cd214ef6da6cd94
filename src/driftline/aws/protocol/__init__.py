"""The wire: requests read and answers written by the models that botocore brings along, and by nothing else.

A request is a :class:`~driftline.aws.protocol.calls.Call`: which service, which operation, in which protocol. Its body
becomes an input by the model's names (``inputs``), checked as the service checks it (``constraints``); what the
operation gives, and every error, becomes bytes again (``answers``).
"""
