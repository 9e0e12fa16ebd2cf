"""What a deployment answers to a call."""
