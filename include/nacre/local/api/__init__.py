"""The operations of SageMaker: each a function of the world and a checked request."""
