"""What SageMaker's documents mean here: names, addresses, and settings translated to ours. Pure."""
