"""Before a deployment: what stands in its way in this account, what a failed try left, and what is to be signed."""
