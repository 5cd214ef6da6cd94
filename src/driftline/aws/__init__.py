"""The AWS face: the calls of AWS clients, answered from botocore's own service models."""
